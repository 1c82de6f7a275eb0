"""The import rules that keep the rooms apart; breaking one makes two services into one."""

from __future__ import annotations

import pytest

from tests.architecture.sources import ROOT, imported, modules, within

COMMON = "services.common"

# What a part may import of ours, itself apart. Whoever is not named here may not be imported by it.
ALLOWED: dict[str, tuple[str, ...]] = {
    "schemas": ("services.common.errors",),
    COMMON: ("schemas",),
    "services.ingest": (COMMON, "schemas"),
    "services.metrics": (COMMON, "schemas"),
    "services.alerts": (COMMON, "schemas"),
    "services.letters": (COMMON, "schemas"),
    "services.privacy": (COMMON, "schemas"),
    "services.audit": (COMMON, "schemas"),
    "services.doctor": (COMMON, "schemas"),
    "services.review": (COMMON, "schemas"),
    "services.planning": (COMMON, "schemas"),
    "services.simulator": (COMMON, "schemas"),
    "services.rehearsal": (
        COMMON,
        "schemas",
        "services.ingest",
        "services.metrics",
        "services.alerts",
        "services.simulator",
        "services.standalone",
    ),
    "services.standalone": (
        COMMON,
        "schemas",
        "services.ingest",
        "services.metrics",
        "services.alerts",
        "services.audit",
        "services.privacy",
        "services.review",
    ),
}


def violations(part: str) -> list[str]:
    """Each import of ours that the part must not have, as `module imports name`."""
    allowed = (part, *ALLOWED[part])
    return [
        f"{module} imports {name}"
        for module, names in modules(part.replace(".", "/")).items()
        for name in sorted(names)
        if (within(name, "services") or within(name, "schemas") or within(name, "tests"))
        and not any(within(name, package) for package in allowed)
    ]


@pytest.mark.parametrize("part", ALLOWED)
def test_a_part_imports_only_what_it_may(part: str) -> None:
    assert violations(part) == []


def test_every_part_is_held_to_a_rule() -> None:
    parts = {f"services.{path.parent.name}" for path in (ROOT / "services").glob("*/__init__.py")}
    assert parts == {part for part in ALLOWED if part.startswith("services.")}


def test_nothing_but_the_command_joins_the_parts() -> None:
    joining = [path.name for path in (ROOT / "services").glob("*.py") if path.name != "__init__.py"]
    assert joining == ["cli.py"]


def test_of_scipy_only_what_the_image_holds_is_imported() -> None:
    """Catches an import that works here and ends every service in a container: deploy/image/slim.sh leaves
    `scipy.special` and what that needs. The rest is 80 MB, and seconds of every start."""
    found = {
        name
        for package in ("services", "schemas")
        for names in modules(package).values()
        for name in names
        if within(name, "scipy")
    }
    assert found
    assert {name for name in found if not within(name, "scipy.special")} == set()


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("import services.ingest.service", "services.ingest.service"),
        ("from services import ingest", "services.ingest"),
        ("from ..ingest import service", "services.ingest.service"),
        ("def late():\n    from services.ingest import service", "services.ingest.service"),
        ("import importlib\nimportlib.import_module('services.ingest')", "services.ingest"),
    ],
)
def test_no_way_of_importing_escapes(source: str, name: str) -> None:
    assert name in imported(source, "services.metrics.service", is_package=False)
