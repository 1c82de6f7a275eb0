"""compose.yaml, read by compose's own parser: who may do what, reach whom and is told what."""

from __future__ import annotations

import re
import stat
from pathlib import Path

import pytest

from tests.deployment.images.project import (
    DEPLOY,
    GROUP,
    check_command,
    known_settings,
    mounted_files,
    named_hosts,
    networks_of,
    ours,
    project,
    services,
)  # fmt: skip
from tests.deployment.images.secrets import made_secrets
from tests.deployment.images.test_dockerfile import PINNED
from tests.support.debian import NotToBeHad
from tests.support.gotools import BUILD_SECONDS, build
from tests.support.image import dockerfile

pytestmark = [pytest.mark.system, pytest.mark.timeout(BUILD_SECONDS)]


@pytest.fixture(autouse=True)
def _tools() -> None:
    try:
        build("compose")
        build("dockerfile")
    except NotToBeHad as error:
        pytest.skip(str(error))


def test_the_whole_house_is_there() -> None:
    assert set(ours()) == {"migrate", "ingest", "metrics", "alerts", "audit", "input"}
    others = {"kafka", "clickhouse", "accounts", "ingress", "prometheus", "alertmanager", "grafana"}
    assert services().keys() - ours().keys() == others
    assert [name for name, service in services().items() if service.get("profiles")] == ["input"]


def test_every_image_is_pinned_or_built_here() -> None:
    stages = {stage["name"] for stage in dockerfile()["stages"]}
    built = {service["image"]: service["build"] for service in services().values() if "build" in service}
    for name, service in services().items():
        if name in ours():
            assert service["image"] in built, name
            assert built[service["image"]]["target"] in stages
            assert (Path(built[service["image"]]["context"]) / built[service["image"]]["dockerfile"]).is_file()
        else:
            assert PINNED.match(service["image"]), service["image"]


def test_no_container_can_do_more_than_its_work() -> None:
    """Catches: a service that was added without the common part, and one without bounds."""
    for name, service in services().items():
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert not {"privileged", "cap_add", "devices", "pid", "ipc", "network_mode"} & service.keys(), name
        limits = service["deploy"]["resources"]["limits"]
        assert {"cpus", "memory", "pids"} <= limits.keys(), name
        assert service["restart"].startswith(("unless-stopped", "on-failure")), name
        assert service["logging"]["options"].keys() == {"max-size", "max-file"}, name
        user = service.get("user", dockerfile()["image"]["config"]["User"] if name in ours() else "root")
        assert re.fullmatch(r"[1-9]\d*:\d+", user), name
        if name in ours():
            assert service["read_only"], name
            assert service["tmpfs"], name


def test_only_this_machine_reaches_what_is_published() -> None:
    published = [(name, port) for name, service in services().items() for port in service.get("ports") or []]
    assert {name for name, _ in published} == {"kafka", "ingress", "prometheus", "alertmanager", "grafana"}
    assert {port["host_ip"] for _, port in published} == {"127.0.0.1"}
    # A port that a network without an outside cannot publish.
    for name, _ in published:
        assert "outside" in networks_of(name)


def test_who_is_on_which_network() -> None:
    """Catches: a store or a service that the outside, or a neighbour, reaches for no reason; a name that does not
    resolve where it is used."""
    assert {name for name, network in project()["networks"].items() if not network.get("internal")} == {"outside"}
    assert {name for name in services() if "store" in networks_of(name)} == {
        "clickhouse", "migrate", "accounts", "ingest", "metrics", "alerts", "audit", "grafana",
    }  # fmt: skip
    assert networks_of("clickhouse") == {"store"}
    for name in ("ingest", "metrics"):
        assert "outside" not in networks_of(name)
    spoken_of = {(name, host) for name, service in services().items() for host in named_hosts(service) if host != name}
    # Of its users and of its configuration.
    spoken_of |= {(name, "clickhouse") for name in ("migrate", "accounts", "ingest", "metrics", "alerts", "audit")}
    spoken_of |= {("prometheus", name) for name in ("ingest", "metrics", "alerts", "audit")}
    assert {("ingress", "metrics"), ("ingress", "alerts"), ("grafana", "prometheus"), ("alerts", "alertmanager"),
            ("prometheus", "alertmanager"), ("ingest", "kafka"), ("input", "kafka")} <= spoken_of  # fmt: skip
    for name, host in spoken_of:
        assert networks_of(name) & networks_of(host), f"{name} cannot reach {host}"


def test_every_mount_is_there_and_cannot_be_changed(tmp_path: Path) -> None:
    made = made_secrets(tmp_path)
    for name, service in services().items():
        for volume in service.get("volumes") or []:
            if volume["type"] == "volume":
                assert volume["source"] in project()["volumes"], name
                continue
            assert volume["read_only"], f"{name}: {volume['source']}"
            source = Path(volume["source"]).relative_to(DEPLOY)
            there = made / source.relative_to("secrets") if source.parts[0] == "secrets" else DEPLOY / source
            assert there.exists(), f"{name}: {source}"


def test_every_secret_is_made_and_its_readers_may_read_it(tmp_path: Path) -> None:
    """Catches: a secret that deploy/secrets.sh does not make, one that nobody uses, and one for all to read."""
    made = made_secrets(tmp_path)
    declared = project()["secrets"]
    for secret in declared.values():
        file = made / Path(secret["file"]).relative_to(DEPLOY / "secrets")
        assert stat.S_IMODE(file.stat().st_mode) == 0o440
    used = {secret["source"] for service in services().values() for secret in service.get("secrets") or []}
    assert used == declared.keys()
    files = {Path(secret["file"]).name for secret in declared.values()}
    assert {path.name for path in made.iterdir() if path.is_file()} == files
    for name, service in services().items():
        if service.get("secrets") or name in ours():
            assert service["group_add"] == [GROUP], name


def test_warroom_is_told_what_it_reads() -> None:
    """Catches: a setting, a subcommand or an option that does not exist, and a setting's file that is not mounted."""
    for name, service in ours().items():
        check_command(service["command"])
        given = service["environment"]
        assert given.keys() <= known_settings(), name
        places = {secret["target"] for secret in service.get("secrets") or []}
        places |= {volume["target"] for volume in service.get("volumes") or []}
        for setting, value in given.items():
            if setting.endswith("_FILE"):
                assert any(value == place or value.startswith(place + "/") for place in places), f"{name}: {setting}"
        assert not [value for value in given.values() if re.search(r"://[^/]*:[^/]*@", value)], name


def test_traces_are_sent_where_the_settings_say() -> None:
    """Catches: a trace's settings that end at compose; and the same, empty, where nobody set them, which no process
    starts with. That the image has OpenTelemetry is a test of its locks."""
    given = {"WARROOM_TRACES_ENDPOINT": "http://collector:4318", "WARROOM_TRACES_RATIO": "0.1"}
    traced = project(**given)["services"]
    for name in ("ingest", "metrics", "alerts"):
        assert given.items() <= traced[name]["environment"].items(), name
        assert not given.keys() & ours()[name]["environment"].keys(), name


def test_each_waits_for_what_it_cannot_start_without() -> None:
    """Catches: a wait for a health that is never told, which compose only finds when it starts."""
    for name, service in services().items():
        for other, wait in (service.get("depends_on") or {}).items():
            check = services()[other].get("healthcheck") or {}
            if wait["condition"] == "service_healthy":
                told = check.get("test") or (other in ours() and not check.get("disable"))
                assert told, f"{name} waits for {other}"
            else:
                assert wait["condition"] == "service_completed_successfully", name
                assert services()[other]["restart"].startswith("on-failure"), other


def test_files_of_the_repository_are_mounted_where_programs_look() -> None:
    """Catches: a dashboard folder or a rules file at another place than the configuration says."""
    targets = {
        name: {volume["target"] for volume in service.get("volumes") or []} for name, service in services().items()
    }
    grafana = services()["grafana"]
    assert grafana["environment"]["WARROOM_DASHBOARDS"] in targets["grafana"]
    asked = set(re.findall(r"\$(WARROOM_\w+)", "".join(
        path.read_text() for path in (DEPLOY / "grafana" / "provisioning").rglob("*.yml")
    )))  # fmt: skip
    given = {name for name in grafana["environment"] if name.startswith("WARROOM_")} | {"WARROOM_CLICKHOUSE_PASSWORD"}
    assert asked == given
    assert "WARROOM_CLICKHOUSE_PASSWORD=" in grafana["entrypoint"][-1]
    for name, option in (("prometheus", "--config.file="), ("alertmanager", "--config.file=")):
        (file,) = [word.removeprefix(option) for word in services()[name]["command"] if word.startswith(option)]
        assert file in targets[name]
    assert "/etc/prometheus/warroom-rules.yml" in targets["prometheus"]
    assert all(
        Path(volume["source"]).stat().st_mode & stat.S_IROTH for s in services().values() for volume in mounted_files(s)
    )
