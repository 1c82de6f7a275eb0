"""Documents that people rely on must not drift from the code."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from schemas.metrics import METRICS
from services.common.prometheus import BUSINESS, business_name
from services.common.settings import Settings, load_settings

ROOT = Path(__file__).parents[2]


def test_the_readme_lists_every_setting_with_its_meaning() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for name, field in Settings.model_fields.items():
        assert f"| `WARROOM_{name.upper()}` |" in text, name
        assert str(field.description) in text, name


def test_every_metric_of_ingest_is_explained() -> None:
    text = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    families = [family for family in REGISTRY.collect() if family.name.startswith("warroom_ingest_")]
    assert len(families) > 10
    for family in families:
        name = family.name + ("_total" if family.type == "counter" else "")
        assert f"`{name}`" in text, name


def test_every_business_metric_is_explained() -> None:
    text = (ROOT / "docs" / "prometheus.md").read_text(encoding="utf-8")
    for name, family in BUSINESS.families.items():
        # Those of the catalogue are named by their kind; it explains each.
        stem = name.removeprefix("warroom_campaign_").removeprefix("channel_")
        words = {f"`{name}`", f"`..._{stem}`", f"{family.labels}"}
        of_catalogue = any(business_name(m) == f"warroom_campaign_{stem}" for m in METRICS)
        assert of_catalogue or any(word in text for word in words), name


def test_every_link_to_a_file_of_the_project_leads_somewhere() -> None:
    for document in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]:
        for part in document.read_text(encoding="utf-8").split("](")[1:]:
            target = part.split(")")[0].split("#")[0]
            if target and "://" not in target:
                assert (document.parent / target).exists(), f"{document.name}: {target}"


def test_the_environment_file_for_servers_is_understood(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = (ROOT / "deploy" / "warroom.env").read_text(encoding="utf-8").splitlines()
    for line in lines:
        if line and not line.startswith("#"):
            name, value = line.split("=", 1)
            assert name.removeprefix("WARROOM_").lower() in Settings.model_fields, name
            monkeypatch.setenv(name, value)
    settings = load_settings()
    assert settings.topic_replication_factor == 3
    assert settings.currency_rates == {"USD": Decimal("7.10")}
