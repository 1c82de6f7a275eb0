"""What answers are made of: amounts, moments, tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, ClassVar, Generic, TypeVar

from pydantic import BaseModel, Field, GetJsonSchemaHandler, TypeAdapter
from pydantic_core import CoreSchema

from schemas.metrics import METRICS, Unit

Money = Annotated[str, Field(pattern=r"^-?\d+\.\d{2}$")]
"""An exact amount."""

Moment = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
"""RFC 3339 with offset."""

Ratio = float | None
"""None where its denominator is zero."""

Figure = Money | float
"""An amount or a number, by its metric."""

ABSENT: Any = None
"""The default of a field that an answer may leave out; where it is there, it is not null."""


class Watermarks(BaseModel):
    """By kind of event, the moment before which all is in; null where ingest has not said."""

    traffic: Moment | None
    orders: Moment | None
    coupons: Moment | None
    inventory: Moment | None
    spend: Moment | None


class Told(BaseModel):
    """How far an answer can be trusted. `complete`: nothing that it is made of can still come."""

    as_of: Moment
    watermark: Moment | None
    watermarks: Watermarks
    complete: bool


Row = TypeVar("Row")


class Panel(Told, Generic[Row]):
    """A table of a snapshot."""

    columns: list[str]
    rows: list[Row]


class Table(Told, Generic[Row]):
    """A page of a table of numbers; `next_cursor` leads to the next one."""

    columns: list[str]
    rows: list[Row]
    next_cursor: str | None


class Listing(BaseModel, Generic[Row]):
    """A page of a table of what is known at once; `next_cursor` leads to the next one."""

    columns: list[str]
    rows: list[Row]
    next_cursor: str | None


class MetricFields(BaseModel):
    """What has fields by the name of metrics: those of the catalogue, so that no list of them is kept here."""

    always: ClassVar[Mapping[str, Any]] = {}
    sometimes: ClassVar[Mapping[str, Any]] = {}

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        found = handler(core)
        schema = handler.resolve_ref_schema(found)
        properties = schema.setdefault("properties", {})
        for name, annotation in {**cls.sometimes, **cls.always}.items():
            properties[name] = TypeAdapter(annotation).json_schema(mode="serialization")
        if cls.always:
            schema["required"] = [*schema.get("required", []), *cls.always]
        return found


_OF_UNIT: Mapping[Unit, Any] = {
    Unit.COUNT: int | None,
    Unit.MONEY: Money | None,
    Unit.RATIO: Ratio,
    Unit.MONEY_RATIO: Ratio,
}


def metric_fields(names: Iterable[str] = METRICS, ending: str = "") -> dict[str, Any]:
    """Metrics as fields; null where a kind of event behind one has no such dimension."""
    return {f"{name}{ending}": _OF_UNIT[METRICS[name].unit] for name in names}


class FieldError(BaseModel):
    """A field at fault."""

    field: str
    detail: str


class Problem(BaseModel):
    """An error as RFC 9457 has it; `field` is the first of the fields at fault."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[FieldError] = ABSENT
    field: str = ABSENT
    reasons: dict[str, str] = ABSENT


class Health(BaseModel):
    """Of a process that answers."""

    status: str
