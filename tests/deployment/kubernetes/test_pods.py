"""Every pod, read as plain objects: what it is told, what it may, what it needs, and how it ends."""

from __future__ import annotations

import os
import re
from itertools import pairwise
from typing import Any, get_args

import pytest
from pydantic import SecretStr

from services.cli import _COMMANDS
from services.common.runtime import STOP_SECONDS
from services.common.settings import Settings
from tests.deployment.kubernetes.chart import (
    CASES,
    SERVICES,
    Object,
    containers,
    milli,
    of_kind,
    pods,
    rendered,
    selects,
    size,
)

pytestmark = [pytest.mark.system, pytest.mark.parametrize("case", CASES)]

SOME_SECRET = {
    "WARROOM_CLICKHOUSE_URL_FILE": "https://warroom:secret@clickhouse:8443/warroom",
    "WARROOM_ALERT_WEBHOOK_URL_FILE": "https://pager.example.com/hooks/warroom",
    "WARROOM_KAFKA_SASL_PASSWORD_FILE": "secret",
}
"""What may be in the Secrets, which are not the chart's."""

PROCESS_STOPS_WITHIN = 15.0
"""Seconds; the contract's, of which the services have `STOP_SECONDS`."""

SETTINGS = {f"WARROOM_{name.upper()}" for name in Settings.model_fields}
SECRETS = {
    f"WARROOM_{name.upper()}"
    for name, field in Settings.model_fields.items()
    if SecretStr in (field.annotation, *get_args(field.annotation))
}
"""Each of them may be left to a file, by the same name and `_FILE`."""


def test_the_components_are_those(case: str) -> None:
    assert set(pods(case)) == {*SERVICES, "migrate", "test"}


def test_every_variable_is_a_setting_and_says_what_it_may(case: str) -> None:
    """Catches a slip in a name, which a process would not notice, and a value that it would refuse at its start."""
    for component, container in containers(case):
        given = {entry["name"]: entry["value"] for entry in container.get("env", ())}
        assert given.keys() <= SETTINGS | {f"{name}_FILE" for name in SECRETS}, component
        assert "envFrom" not in container
        with pytest.MonkeyPatch.context() as environment:
            for name in [name for name in os.environ if name.startswith("WARROOM_")]:
                environment.delenv(name)
            for name, value in given.items():
                if name.removesuffix("_FILE") in SECRETS:
                    environment.setenv(name.removesuffix("_FILE"), SOME_SECRET[name])
                else:
                    environment.setenv(name, value)
            settings = Settings()
        if component in SERVICES:
            assert (settings.http_host, settings.http_port) == ("0.0.0.0", 8080)
            assert settings.locked, "it would refuse to listen"


def test_no_value_is_a_secret(case: str) -> None:
    """Secrets come as files out of Secrets that are not the chart's; no object of the chart holds or makes one."""
    assert of_kind(case, "Secret") == {}
    for component, container in containers(case):
        for entry in container.get("env", ()):
            assert set(entry) == {"name", "value"}, (
                f"{component}: a secret in the environment can be read by its children"
            )
            name, value = entry["name"], entry["value"]
            assert name not in SECRETS, f"{component} is told {name} by value"
            assert name.endswith("_FILE") == value.startswith("/") or name == "WARROOM_REHEARSALS_DIR"
            assert not re.search(r"://[^/\s]*@", value), f"{name} holds a password"


def test_every_file_that_is_named_is_mounted_from_what_holds_it(case: str) -> None:
    for component, container in containers(case):
        volumes = {volume["name"]: volume for volume in pods(case)[component]["spec"].get("volumes", ())}
        mounts = {mount["mountPath"]: mount for mount in container.get("volumeMounts", ())}
        assert len(mounts) == len(container.get("volumeMounts", ()))
        assert {mount["name"] for mount in mounts.values()} == volumes.keys(), (
            "each volume is used, each mount is there"
        )
        for path, mount in mounts.items():
            assert path == "/tmp" or mount["readOnly"], path
            assert "subPath" not in mount, "what is mounted so never changes again"
        for entry in container.get("env", ()):
            if not entry["value"].startswith("/"):
                continue
            folder, _, name = entry["value"].rpartition("/")
            mount = mounts.get(folder) or mounts[entry["value"]]
            source = volumes[mount["name"]]
            if "secret" in source:
                assert source["secret"]["defaultMode"] == 0o440
                paths = [item["path"] for item in source["secret"].get("items", ())]
                assert name in paths or (not paths and entry["name"] == "WARROOM_RECEIVERS_FILE")
        for one, other in pairwise(sorted(mounts)):
            assert not other.startswith(f"{one}/"), "a mount within a mount"


def test_nobody_is_root_and_nothing_can_be_written_or_gained(case: str) -> None:
    """What the restricted profile of Pod Security Standards asks for, and a root filesystem that stays as it is."""
    for component, pod in pods(case).items():
        spec = pod["spec"]
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["runAsUser"] > 0
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert not any(spec.get(name) for name in ("hostNetwork", "hostPID", "hostIPC"))
        assert {kind for volume in spec.get("volumes", ()) for kind in volume} <= {
            "name", "emptyDir", "secret", "configMap", "persistentVolumeClaim",
        }  # fmt: skip
        assert all("sizeLimit" in volume["emptyDir"] for volume in spec.get("volumes", ()) if "emptyDir" in volume)
        assert spec["automountServiceAccountToken"] is False
        assert spec["enableServiceLinks"] is False, "variables such as WARROOM_METRICS_PORT would be added"
        if component != "test":
            account = of_kind(case, "ServiceAccount")[spec["serviceAccountName"]]
            assert account["automountServiceAccountToken"] is False
    for component, container in containers(case):
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "runAsNonRoot": True,
            "capabilities": {"drop": ["ALL"]},
        }, component


def test_each_service_has_an_account_of_its_own(case: str) -> None:
    accounts = [pods(case)[component]["spec"]["serviceAccountName"] for component in (*SERVICES, "migrate")]
    assert len(set(accounts)) == len(accounts)
    assert not any(o["kind"] in ("Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding") for o in rendered(case))


def test_every_container_says_what_it_needs_and_gets_no_more(case: str) -> None:
    for component, container in containers(case):
        requests, limits = container["resources"]["requests"], container["resources"]["limits"]
        assert requests.keys() == limits.keys() == {"cpu", "memory", "ephemeral-storage"}
        assert 0 < milli(requests["cpu"]) <= milli(limits["cpu"])
        assert 0 < size(requests["memory"]) <= size(limits["memory"])
        if component == "ingest":
            given = {entry["name"]: entry["value"] for entry in container["env"]}
            buffers = int(given.get("WARROOM_MAX_BUFFERED_BYTES", Settings().max_buffered_bytes))
            filters = int(given.get("WARROOM_DUPLICATE_FILTER_MB", Settings().duplicate_filter_mb)) << 20
            # Blocks that are written are columns as well, about as large as their records (docs/operations.md).
            assert size(limits["memory"]) >= 2 * buffers + filters + (512 << 20)


def test_every_service_says_whether_it_lives_and_works(case: str) -> None:
    for component in SERVICES:
        (container,) = pods(case)[component]["spec"]["containers"]
        ports = {port["name"]: port["containerPort"] for port in container["ports"]}
        assert ports == {"http": _port(container)}
        for probe, path in (("startupProbe", "/healthz"), ("livenessProbe", "/healthz"), ("readinessProbe", "/readyz")):
            assert container[probe]["httpGet"] == {"path": path, "port": "http"}
            assert container[probe]["timeoutSeconds"] <= container[probe]["periodSeconds"]
        startup, liveness = container["startupProbe"], container["livenessProbe"]
        assert startup["periodSeconds"] * startup["failureThreshold"] >= 60
        # A loop that stands still for a few seconds under load must not be killed for it.
        assert liveness["periodSeconds"] * liveness["failureThreshold"] >= 30


def test_every_service_is_given_the_time_that_it_takes_to_stop(case: str) -> None:
    assert STOP_SECONDS < PROCESS_STOPS_WITHIN
    for component in SERVICES:
        spec = pods(case)[component]["spec"]
        (container,) = spec["containers"]
        pause = container.get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
        assert spec["terminationGracePeriodSeconds"] >= pause + PROCESS_STOPS_WITHIN
        # Whoever is sent requests goes on answering until nobody sends any more.
        assert (pause > 0) == (component != "ingest")


def test_commands_are_real_and_the_image_is_one(case: str) -> None:
    images = set()
    for component, container in containers(case):
        images.add(container["image"])
        if component == "test":
            continue
        # The image's own entry point runs the subcommand.
        assert "command" not in container
        (command,) = container["args"]
        assert command in _COMMANDS
        assert command == component
    (image,) = images
    assert "@sha256:" in image or re.search(r":[^/:]+$", image), "an image without a tag is whatever was pushed last"
    assert not image.endswith(":latest")


def test_deployments_select_their_own_pods_and_change_them_one_by_one(case: str) -> None:
    deployments = [o for o in rendered(case) if o["kind"] == "Deployment"]
    assert {_component(o["spec"]["template"]) for o in deployments} == set(SERVICES)
    for deployment in deployments:
        chosen = {name for name, pod in pods(case).items() if selects(deployment["spec"]["selector"], _labels(pod))}
        assert chosen == {_component(deployment["spec"]["template"])}
        strategy = deployment["spec"]["strategy"]
        assert strategy == {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}
        assert deployment["spec"]["minReadySeconds"] > 0


def test_services_lead_to_a_port_that_their_pods_listen_at(case: str) -> None:
    services = of_kind(case, "Service")
    assert len(services) == len(SERVICES)
    for service in services.values():
        chosen = [
            pod for pod in pods(case).values() if selects({"matchLabels": service["spec"]["selector"]}, _labels(pod))
        ]
        (pod,) = chosen
        names = {port["name"] for container in pod["spec"]["containers"] for port in container["ports"]}
        assert {port["targetPort"] for port in service["spec"]["ports"]} <= names
        assert service["spec"]["type"] == "ClusterIP"


def test_pods_of_a_service_are_spread_over_nodes_and_zones(case: str) -> None:
    for component in SERVICES:
        spread = pods(case)[component]["spec"]["topologySpreadConstraints"]
        assert [each["topologyKey"] for each in spread] == ["kubernetes.io/hostname", "topology.kubernetes.io/zone"]
        for each in spread:
            assert selects(each["labelSelector"], _labels(pods(case)[component]))
            # Otherwise a zone or a node that is away would keep pods from starting.
            assert each["whenUnsatisfiable"] == "ScheduleAnyway" or (
                component == "alerts" and each["topologyKey"] == "kubernetes.io/hostname"
            )


def test_nodes_can_always_be_emptied(case: str) -> None:
    budgets = of_kind(case, "PodDisruptionBudget")
    assert len(budgets) == len(SERVICES)
    for component in SERVICES:
        (budget,) = (b for b in budgets.values() if selects(b["spec"]["selector"], _labels(pods(case)[component])))
        # `minAvailable` would keep a single pod on its node for ever, and so would one that never becomes ready.
        assert "minAvailable" not in budget["spec"]
        assert budget["spec"]["maxUnavailable"] == 1
        assert budget["spec"]["unhealthyPodEvictionPolicy"] == "AlwaysAllow"


def test_migrations_come_before_anything_that_needs_them(case: str) -> None:
    (job,) = of_kind(case, "Job").values()
    hook = job["metadata"]["annotations"]
    assert hook["helm.sh/hook"] == "pre-install,pre-upgrade"
    # What the Job needs is there before it, and is a hook as well: nothing else of the release is there yet.
    name = job["spec"]["template"]["spec"]["serviceAccountName"]
    needed = [o for o in rendered(case) if o["metadata"]["name"] == name and o["kind"] != "Job"]
    assert {o["kind"] for o in needed} >= {"ServiceAccount"}
    for o in needed:
        also = o["metadata"]["annotations"]
        assert also["helm.sh/hook"] == hook["helm.sh/hook"]
        assert int(also["helm.sh/hook-weight"]) < int(hook["helm.sh/hook-weight"])
    volumes = job["spec"]["template"]["spec"]["volumes"]
    assert not any("configMap" in volume for volume in volumes)
    # A failed one stays for its log, and is out of the way of the next attempt.
    assert hook["helm.sh/hook-delete-policy"] == "before-hook-creation,hook-succeeded"
    assert job["spec"]["activeDeadlineSeconds"] > 0


def _labels(pod: Object) -> dict[str, str]:
    labels: dict[str, str] = pod["metadata"]["labels"]
    return labels


def _component(pod: Object) -> str:
    return _labels(pod)["app.kubernetes.io/component"]


def _port(container: dict[str, Any]) -> int:
    (port,) = (int(entry["value"]) for entry in container["env"] if entry["name"] == "WARROOM_HTTP_PORT")
    return port
