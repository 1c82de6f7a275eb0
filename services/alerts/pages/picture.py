"""The curve of an alert as a PNG: the points that proved it, what is normal, and when it began."""

from __future__ import annotations

from io import BytesIO

from PIL import Image, ImageDraw, ImageFont

from services.alerts.alert import Alert
from services.alerts.pages.compose import local_time, number
from services.alerts.pages.points import points_of, reference_of

_SCALE = 2
_WIDTH, _HEIGHT = 640 * _SCALE, 240 * _SCALE
_LEFT, _RIGHT, _TOP, _BOTTOM = 64 * _SCALE, 16 * _SCALE, 28 * _SCALE, 28 * _SCALE
_PAPER, _INK = "#ffffff", "#1f2430"
_LINE, _NORMAL, _ONSET = "#0060df", "#6b7280", "#d1242f"


def picture(alert: Alert) -> bytes | None:
    """A PNG of 640 by 240 points at double density; None for an alert without a curve.

    The dashed line is what is normal, the upright one the onset. Times are on the campaign's clock.
    """
    points = points_of(alert.evidence)
    if len(points) < 2:
        return None
    normal = reference_of(alert.evidence)
    values = [value for _, value in points]
    top = max(*values, normal or 0.0, 1e-9) * 1.1
    first, last = points[0][0], points[-1][0]
    image = Image.new("RGB", (_WIDTH, _HEIGHT), _PAPER)
    draw = ImageDraw.Draw(image)
    font = ImageFont.load_default(12 * _SCALE)

    def x(at: float) -> float:
        share = (at - first) / (last - first)
        return _LEFT + min(1.0, max(0.0, share)) * (_WIDTH - _LEFT - _RIGHT)

    def y(value: float) -> float:
        return _HEIGHT - _BOTTOM - max(0.0, value) / top * (_HEIGHT - _TOP - _BOTTOM)

    for share in (0.0, 0.5, 1.0):
        level = top / 1.1 * share
        draw.line([(_LEFT, y(level)), (_WIDTH - _RIGHT, y(level))], fill="#e5e7eb", width=_SCALE)
        draw.text((_LEFT - 8 * _SCALE, y(level)), number(round(level, 3)), fill=_INK, font=font, anchor="rm")
    for at, anchor in ((first, "la"), (last, "ra")):
        text = local_time(alert, at * 1000, with_date=False)
        draw.text((x(at), _HEIGHT - _BOTTOM + 6 * _SCALE), text, fill=_INK, font=font, anchor=anchor)
    if normal is not None:
        _dashed(draw, y(normal), _LEFT, _WIDTH - _RIGHT)
    onset = x(alert.starts_at / 1000)
    draw.line([(onset, _TOP), (onset, _HEIGHT - _BOTTOM)], fill=_ONSET, width=_SCALE)
    draw.line([(x(at), y(value)) for at, value in points], fill=_LINE, width=2 * _SCALE, joint="curve")
    unit = alert.evidence.get("unit")
    # The picture's font knows no Chinese: names of rules and units are ASCII, anything else stays in the text.
    caption = f"{alert.rule}  {unit if isinstance(unit, str) else ''}".encode("ascii", "replace").decode()
    draw.text((_LEFT, 6 * _SCALE), caption, fill=_INK, font=font)
    out = BytesIO()
    image.save(out, "PNG", optimize=True)
    return out.getvalue()


def _dashed(draw: ImageDraw.ImageDraw, height: float, start: float, end: float) -> None:
    at = start
    while at < end:
        draw.line([(at, height), (min(at + 8 * _SCALE, end), height)], fill=_NORMAL, width=_SCALE)
        at += 14 * _SCALE
