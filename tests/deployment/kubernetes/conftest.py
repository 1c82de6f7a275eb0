"""Without Helm there is nothing to judge."""

from __future__ import annotations

import pytest

from tests.support.debian import NotToBeHad
from tests.support.gotools import BUILD_SECONDS, build


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Any of these may be the one that builds Helm; what is marked otherwise here needs no tool."""
    for item in items:
        if "deployment/kubernetes" in item.nodeid and item.get_closest_marker("system"):
            item.add_marker(pytest.mark.timeout(BUILD_SECONDS))


@pytest.fixture(autouse=True)
def _helm_can_be_had(request: pytest.FixtureRequest) -> None:
    if request.node.get_closest_marker("system") is None:
        return
    try:
        build("helm")
    except NotToBeHad as error:
        pytest.skip(f"NOT TESTED, the chart for Kubernetes: {error}")
