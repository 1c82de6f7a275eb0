"""Exact amounts out of a table that has them as floating-point sums of a line."""

from __future__ import annotations

from services.simulator.orders import Line


def cents(amount: float) -> int:
    """Hundredths of an amount that was recorded with two decimals."""
    return round(amount * 100)


def split_line(item_id: str, category: str | None, quantity: int, total_cents: int) -> list[Line]:
    """Lines whose quantities times prices add up to the total to the cent.

    What does not divide becomes two lines a cent apart: three pieces for 1.00 are one at 0.34 and two at 0.33.
    Fuel and the like, counted in units of less than a cent, is one piece.
    """
    if quantity < 1 or total_cents < quantity:
        return [Line(item_id, category, 1, total_cents)]
    price, dearer = divmod(total_cents, quantity)
    if not dearer:
        return [Line(item_id, category, quantity, price)]
    return [Line(item_id, category, dearer, price + 1), Line(item_id, category, quantity - dearer, price)]
