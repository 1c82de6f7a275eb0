"""Which coupons each household was sent, and which of them it redeemed."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from services.simulator.completejourney.data import CampaignData, Redemption
from services.simulator.world import stable_share

_ISSUED_WITHIN_MS = 2 * 86_400_000


@dataclass(frozen=True, slots=True)
class IssuedCoupon:
    """One coupon in one household's hands: its number there, when it came, and when it was redeemed, if ever."""

    household: int
    number: int
    issued_ms: int
    redemption: Redemption | None


def issued_coupons(data: CampaignData) -> list[IssuedCoupon]:
    """Every coupon of the campaign: as many to each household as it was sent, more only where it redeemed more.

    The data has no moment of issue: they come over the campaign's first two days, and before they are redeemed.
    """
    redeemed: defaultdict[int, list[Redemption]] = defaultdict(list)
    for one in data.redemptions:
        redeemed[one.household].append(one)
    issued = []
    for household in sorted({*data.households, *redeemed}):
        theirs = redeemed[household]
        for number in range(1, max(data.coupons_each, len(theirs)) + 1):
            redemption = theirs[number - 1] if number <= len(theirs) else None
            at_ms = data.start_ms + int(stable_share(f"{household}/{number}") * _ISSUED_WITHIN_MS)
            if redemption is not None:
                at_ms = max(data.start_ms, min(at_ms, redemption.at_ms - 1))
            issued.append(IssuedCoupon(household, number, at_ms, redemption))
    return issued
