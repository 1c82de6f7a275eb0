"""`GET /api/v1/campaigns/{id}/experiments`: conversion per variant, and whether a difference is more than chance."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from services.common.columns import Column, Type
from services.common.paging import PAGING, AnyPage
from services.common.query.experiments import Experiments, Variant, experiments
from services.common.statistics import newcombe_interval, shares_differ, split_is_even, wilson_interval
from services.common.tabular import TABLE_FORMS, tabular_response
from services.metrics.asking import Asking, CampaignId, Format, Period
from services.metrics.params import refuse_unknown

LEAST_USERS = 100
LEAST_OUTCOMES = 10
"""A variant with fewer users, or fewer that did or did not convert, is too small to be judged."""

SKEW = 0.001
"""A split less probable than this under an equal split is no chance: the assignment is broken."""

_COLUMNS = [
    Column("experiment", Type.TEXT),
    Column("variant", Type.TEXT),
    Column("is_control", Type.FLAG),
    Column("users", Type.COUNT),
    Column("converted", Type.COUNT),
    Column("conversion", Type.RATIO),
    Column("low", Type.RATIO),
    Column("high", Type.RATIO),
    Column("difference", Type.RATIO),
    Column("difference_low", Type.RATIO),
    Column("difference_high", Type.RATIO),
    Column("lift", Type.RATIO),
    Column("p_value", Type.RATIO),
    Column("crossed", Type.COUNT),
    Column("warnings", Type.JSON),
]

_KINDS = ("traffic", "orders")


def build_experiments_router(asking: Asking) -> APIRouter:
    """Conversion per variant, under `/api/v1/campaigns/{id}`."""
    router = APIRouter(prefix="/api/v1", tags=["experiments"])

    @router.get(
        "/campaigns/{campaign_id}/experiments",
        summary="Conversion per variant with its interval, and the difference from the control",
        responses=TABLE_FORMS,
    )
    async def variants(
        request: Request,
        campaign_id: CampaignId,
        period: Period,
        page: AnyPage,
        experiment: Annotated[str | None, Query(description="only this one")] = None,
        control: Annotated[
            str | None, Query(description="the variant to compare with; default control, else A, else the first")
        ] = None,
        format: Format = None,
    ) -> Response:
        refuse_unknown(request, "experiment", "control", *PAGING)
        _, question, completeness = await asking.about(campaign_id, period)
        found = await experiments(asking.pool, question, experiment)
        about = completeness.about(question.end_ms, _KINDS)
        return tabular_response(request, _COLUMNS, experiment_rows(found, control), about=about, page=page)

    return router


def control_of(variants: Sequence[Variant], asked: str | None) -> Variant | None:
    """The variant to compare with; None when another was asked for than there is."""
    by_name = {variant.variant: variant for variant in variants}
    if asked is not None:
        return by_name.get(asked)
    return next((by_name[name] for name in ("control", "A", "a") if name in by_name), by_name[min(by_name)])


def experiment_rows(found: Experiments, asked_control: str | None) -> list[dict[str, Any]]:
    """One row a variant, in the order of experiments and variants."""
    rows = []
    for experiment, group in groupby(found.variants, key=lambda variant: variant.experiment):
        variants = list(group)
        control = control_of(variants, asked_control)
        shared = split_warnings(variants)
        if control is None:
            shared.append(f"There is no variant {asked_control!r} to compare with.")
        for variant in variants:
            is_control = variant is control
            rows.append(
                {
                    "experiment": experiment,
                    "variant": variant.variant,
                    "is_control": is_control,
                    "users": variant.users,
                    "converted": variant.converted,
                    **conversion(variant),
                    **({} if control is None or is_control else against(variant, control)),
                    "crossed": found.crossed.get(experiment, 0),
                    "warnings": size_warnings(variant, control) + shared,
                }
            )
    return rows


def conversion(variant: Variant) -> dict[str, float | None]:
    """The share that converted, with its 95 % interval; empty without users."""
    if variant.converted is None or not variant.users:
        return {"conversion": None, "low": None, "high": None}
    interval = wilson_interval(variant.converted, variant.users)
    return {"conversion": variant.converted / variant.users, "low": interval.low, "high": interval.high}


def against(variant: Variant, control: Variant) -> dict[str, float | None]:
    """The difference from the control with its 95 % interval, relative (`lift`), and how probable it is by chance."""
    names = ("difference", "difference_low", "difference_high", "lift", "p_value")
    if variant.converted is None or control.converted is None or not variant.users or not control.users:
        return dict.fromkeys(names)
    own, its = variant.converted / variant.users, control.converted / control.users
    counts = (variant.converted, variant.users, control.converted, control.users)
    interval = newcombe_interval(*counts)
    values = (own - its, interval.low, interval.high, own / its - 1 if its else None, shares_differ(*counts))
    return dict(zip(names, values, strict=True))


def size_warnings(variant: Variant, control: Variant | None) -> list[str]:
    """A sentence for the variant, and one for its control, where there are too few to judge by."""
    return [
        f"The sample is too small to judge: variant {each.variant!r} has {each.users} users, {each.converted} of them "
        f"converted. Wait for {LEAST_USERS} users, {LEAST_OUTCOMES} converted and {LEAST_OUTCOMES} not."
        for each in ([variant] if control is None or control is variant else [variant, control])
        if each.converted is not None
        and (each.users < LEAST_USERS or min(each.converted, each.users - each.converted) < LEAST_OUTCOMES)
    ]


def split_warnings(variants: Sequence[Variant]) -> list[str]:
    """A sentence when the users are not split evenly over the variants."""
    p_value = split_is_even([variant.users for variant in variants])
    if p_value >= SKEW:
        return []
    split = ", ".join(f"{variant.variant!r} {variant.users}" for variant in variants)
    return [
        f"The split is skewed: {split} users; an equal split gives this with probability {p_value:.1g}. "
        "Check how users are assigned before trusting the result."
    ]
