"""While it is off it is not there; when it cannot be, it says so."""

from __future__ import annotations

import subprocess
import sys

import pytest

from services.common import tracing
from services.common.errors import ConfigurationError
from services.common.settings import Settings, load_settings
from tests.architecture.sources import modules

_WITHOUT = """
import sys

class Gone:
    def find_spec(self, name, path=None, target=None):
        if name.startswith(("opentelemetry.sdk", "opentelemetry.exporter", "opentelemetry.proto")):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Gone())
import services.ingest.service, services.metrics.service, services.alerts.service, services.standalone.system
from services.common import tracing
from services.common.settings import Settings
with tracing.span("x", {"rows": 1}, links=["y"]) as span:
    span.say({"more": 1})
tracing.start_tracing(Settings(), "ingest")
assert not tracing.is_on() and tracing.current() is None
try:
    tracing.start_tracing(Settings(traces_endpoint="http://127.0.0.1:4318"), "ingest")
except Exception as error:
    print(type(error).__name__, error)
"""


def test_everything_runs_without_the_extra_and_what_needs_it_refuses() -> None:
    """Catches: an import of OpenTelemetry for those who did not ask for it, or a traceback for those who did."""
    done = subprocess.run([sys.executable, "-c", _WITHOUT], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("ConfigurationError WARROOM_TRACES_ENDPOINT is set, and opentelemetry.")
    assert "warroom[tracing]" in done.stdout


def test_only_one_module_imports_it() -> None:
    """Catches: a second way in. FastAPI imports the API, which does nothing by itself; the SDK is what costs."""
    importing = [
        module
        for module, names in modules("services").items()
        if any(name.split(".")[0] == "opentelemetry" for name in names)
    ]
    assert importing == ["services.common.tracing.export"]


def test_while_it_is_off_a_span_is_one_and_the_same_nothing() -> None:
    """Catches: an object, and a clock, for every call to the store."""
    assert not tracing.is_on()
    assert tracing.span("a") is tracing.span("b", {"rows": 1}, links=["x"])


@pytest.mark.parametrize("endpoint", ["collector:4318", "ftp://collector", "http://", "http://u:p@collector:4318"])
def test_an_endpoint_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch, endpoint: str) -> None:
    monkeypatch.setenv("WARROOM_TRACES_ENDPOINT", endpoint)
    with pytest.raises(ConfigurationError, match="WARROOM_TRACES_ENDPOINT"):
        load_settings()


def test_a_ratio_is_a_share() -> None:
    for ratio in (-0.1, 1.1):
        with pytest.raises(ValueError, match="traces_ratio"):
            Settings(traces_ratio=ratio)
