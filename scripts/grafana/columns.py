"""How columns of tables are named, measured and linked."""

from __future__ import annotations

from scripts.grafana.model import Json


def renamed(**names: str) -> list[Json]:
    """One table of several instant queries, of which rows with the same labels become one.

    So the queries must leave no labels but those that name a row: each series has a name of its own.
    """
    return [
        {"id": "merge", "options": {}},
        {
            "id": "organize",
            "options": {
                "excludeByName": {"Time": True},
                "indexByName": {},
                "renameByName": names,
            },
        },
    ]


def column(name: str, unit: str, *, decimals: int | None = None) -> Json:
    properties: list[Json] = [{"id": "unit", "value": unit}]
    if decimals is not None:
        properties.append({"id": "decimals", "value": decimals})
    return {"matcher": {"id": "byName", "options": name}, "properties": properties}


def to_wall(column: str, dimension: str) -> Json:
    """Cells of a column open the wall, filtered by their value."""
    url = f"${{warroom}}/?campaign=${{campaign:percentencode}}&{dimension}=${{__value.raw:percentencode}}"
    return {
        "matcher": {"id": "byName", "options": column},
        "properties": [{"id": "links", "value": [{"title": "On the wall", "url": url, "targetBlank": True}]}],
    }
