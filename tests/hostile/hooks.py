"""What Schemathesis, in its own process, is told of calls: `SCHEMATHESIS_HOOKS` names this module."""

from __future__ import annotations

from typing import Any

import schemathesis
from schemathesis import Case, HookContext
from schemathesis.core.parameters import ParameterLocation
from schemathesis.generation.meta import CoveragePhaseData, CoverageScenario

GIVEN = ("cursor", "after")


@schemathesis.hook
def filter_case(context: HookContext, case: Case[Any]) -> bool:
    """Leaves out "a value of a wrong type" in a query, half of all cases: there the number 0 is the text `0`."""
    data = case.meta.phase.data if case.meta is not None else None
    return not (
        isinstance(data, CoveragePhaseData)
        and data.scenario is CoverageScenario.INCORRECT_TYPE
        and data.parameter_location is ParameterLocation.QUERY
    )


@schemathesis.hook
def map_case(context: HookContext, case: Case[Any]) -> Case[Any]:
    """Makes calls that the document allows without a cursor: only an answer can give one, and a made one is refused
    before anything else is looked at."""
    if case.meta is not None and case.meta.generation.mode.is_positive and case.query:
        for name in GIVEN:
            case.query.pop(name, None)
    return case
