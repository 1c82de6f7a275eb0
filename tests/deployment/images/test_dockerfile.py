"""The Dockerfile: what its linters say, what it pins, and what goes into it."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.architecture.sources import tracked_files
from tests.deployment.images.project import check_command, known_settings
from tests.support.debian import NotToBeHad
from tests.support.gotools import BUILD_SECONDS, build
from tests.support.image import DOCKERFILE, ROOT, dockerfile

LOCKS = ROOT / "deploy" / "image"
PINNED = re.compile(r"^[a-z0-9./-]+:[\w.-]+@sha256:[0-9a-f]{64}$")


@pytest.fixture
def _tool() -> None:
    try:
        build("dockerfile")
    except NotToBeHad as error:
        pytest.skip(str(error))


def test_hadolint_finds_nothing() -> None:
    done = subprocess.run(
        [str(Path(sys.executable).with_name("hadolint")), "--no-color", str(DOCKERFILE)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.system
@pytest.mark.timeout(BUILD_SECONDS)
@pytest.mark.usefixtures("_tool")
class TestAsBuildKitReadsIt:
    """BuildKit's own parser, linter and conversion of every stage."""

    def test_it_warns_of_nothing(self) -> None:
        assert dockerfile()["warnings"] == []

    def test_every_base_is_pinned_by_version_and_digest(self) -> None:
        assert dockerfile()["bases"]
        for base in dockerfile()["bases"]:
            assert PINNED.match(base), base
            assert ":latest" not in base

    def test_it_runs_as_nobody_in_particular_and_says_how_it_is(self) -> None:
        """Catches: root, a user by a name that Kubernetes cannot check, a health check by a program that is not there,
        an environment variable that nobody reads."""
        config = dockerfile()["image"]["config"]
        assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", config["User"])
        assert config["Healthcheck"]["Test"][:2] == ["CMD", "warroom"]
        check_command(config["Healthcheck"]["Test"][2:])
        names = {pair.split("=")[0] for pair in config["Env"]}
        assert {name for name in names if name.startswith("WARROOM_")} <= known_settings()

    def test_the_context_holds_the_code_and_nothing_else(self) -> None:
        """Catches: a secret, somebody's environment or a test in an image; and a source that .dockerignore forgot."""
        sent = set(dockerfile()["context"])
        allowed = ("services/", "schemas/", "deploy/image/", "pyproject.toml", "README.md", "LICENSE")
        assert [path for path in sent if not path.startswith(allowed)] == []
        code = {str(path) for path in tracked_files() if str(path).startswith(("services/", "schemas/"))}
        assert {path for path in code - sent if not path.startswith("services/metrics/web/test/")} == set()
        assert not [path for path in sent if "node_modules" in path or "__pycache__" in path or "/dist/" in path]


def pins(path: Path) -> dict[str, str]:
    """Each package of a lock with its version, conditions and hashes."""
    entries = re.split(r"\n(?=\S)", re.sub(r"(?m)^\s*#.*\n?", "", path.read_text(encoding="utf-8")))
    return {entry.partition("==")[0].strip(): " ".join(entry.split()) for entry in entries if "==" in entry}


def closure(extras: set[str]) -> set[str]:
    """What the dependencies of pyproject.toml need here, by what the installed packages say of themselves."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        declared = tomllib.load(file)["project"]
    left = [Requirement(text) for text in declared["dependencies"]]
    left += [Requirement(text) for extra in extras for text in declared["optional-dependencies"][extra]]
    found: dict[str, set[str]] = {}
    while left:
        requirement = left.pop()
        name = canonicalize_name(requirement.name)
        wanted = {"", *requirement.extras}
        if name in found and wanted <= found[name]:
            continue
        found[name] = found.get(name, set()) | wanted
        for text in metadata.requires(name) or []:
            needed = Requirement(text)
            if needed.marker is None or any(needed.marker.evaluate({"extra": extra}) for extra in wanted):
                left.append(needed)
    return set(found)


@pytest.mark.parametrize(("lock", "extras"), [("runtime", {"tracing"}), ("demo", {"tracing", "replay"})])
def test_images_hold_what_is_tested_and_no_more(lock: str, extras: set[str]) -> None:
    """Catches: a lock that `make lock` was forgotten for, another version than the suites ran with, a package of
    development in an image, and one that is missing."""
    everything, image = pins(ROOT / "requirements.lock"), pins(LOCKS / f"{lock}.lock")
    needed = closure(extras)
    assert needed <= image.keys(), needed - image.keys()
    # The lock is for every platform and Python; what is only for others is not installed here.
    for name in image.keys() - needed:
        assert ";" in image[name] or name not in {canonicalize_name(d.name) for d in metadata.distributions()}, name
    assert not {"pytest", "mypy", "chdb", "noida-db", "ruff", "duckdb"} & image.keys()
    for name, pin in image.items():
        ours = everything[name]
        assert pin.split()[0] == ours.split()[0], name
        assert set(re.findall(r"sha256:\w+", pin)) == set(re.findall(r"sha256:\w+", ours)), name


def test_the_wheel_is_built_by_what_pyproject_asks_for() -> None:
    with (ROOT / "pyproject.toml").open("rb") as file:
        wanted = tomllib.load(file)["build-system"]["requires"]
    lines = (LOCKS / "build.in").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if not line.startswith("#")] == wanted
    everything, image = pins(ROOT / "requirements.lock"), pins(LOCKS / "build.lock")
    assert "hatchling" in image
    assert [name for name in image if image[name].split()[0] != everything[name].split()[0]] == []
