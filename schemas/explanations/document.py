"""docs/metrics.md: the catalogue for people, written from what the code says."""

from __future__ import annotations

from collections.abc import Iterator

from schemas.explanations.tables import TABLES
from schemas.explanations.text import Both, TableText
from schemas.metrics import DIMENSIONS, METRICS, Metric, Unit

_UNITS = {
    Unit.COUNT: Both("count", "个数"),
    Unit.MONEY: Both("money in the reporting currency, exact to the cent", "金额（报告币种），精确到分"),
    Unit.RATIO: Both("ratio (0.05 is 5 %)", "比率（0.05 即 5 %）"),
    Unit.MONEY_RATIO: Both("money per piece", "单位金额"),
}

_HEAD = """\
# What the numbers mean · 指标说明

Written by `warroom schemas generate` from the catalogue; change the texts in `schemas/explanations`, not here.
本页由 `warroom schemas generate` 根据指标目录生成；请改 `schemas/explanations` 中的文字，不要改本页。

## Before you read a number · 读数之前

- **When it happened.** Every event counts at the moment it happened, however late it arrives; a refund counts when
  the refund happened.
  A period holds its first moment and not its last, in whole minutes.
  **按发生时间。** 每个事件都计入其发生的时刻，无论多晚到达；退款按退款时刻计。时段含起点、不含终点，按整分钟。
- **How complete it is.** Every answer carries `as_of` (when it was asked), `watermark` (everything that it is made
  of is in up to here),
  `watermarks` (the same for each kind of event) and `complete` (whether that covers the whole period). While
  `complete` is false the number
  may still change; the current minute is never complete.
  **是否完整。** 每个答案都带 `as_of`（查询时刻）、`watermark`（所用数据已完整至此）、
  `watermarks`（各类事件的完整时刻）与
  `complete`（是否覆盖整个时段）。`complete` 为 false 时数字仍会变；当前这一分钟永远不完整。
- **Nothing is not zero.** `null` means undefined or not known yet: a ratio whose denominator is zero, a metric that
  has no such dimension,
  a minute without events whose events may still come. Zero means that it is known to be zero.
  **空不是零。** `null` 表示无定义或尚不可知：分母为零的比率、没有该维度的指标、可能还有数据未到的空白分钟。
  零表示确知为零。
- **People do not add up.** Visitors, sessions and buyers are distinct over the whole period and selection that is
  asked for. Never sum
  them over hours, channels or items.
  **人数不可相加。** 访客、会话、买家在所查询的整个范围内去重，不要按小时、渠道或商品相加。
- **Compared with what.** `baseline=campaign`, `yesterday` or `last_week` gives the value then, the difference and
  the ratio: another campaign
  at the same distance from its start, or the same hours on the campaign's wall clock. A day that is running is
  compared with the same part.
  **与什么比较。** `baseline=campaign`、`yesterday`、`last_week` 给出当时的值、差值与比值：
  另一活动在距开始同样时长处，
  或活动当地时钟的同一时段。未结束的一天只与对应的部分比较。

A number by a dimension (channel, region, item ...) or filtered by one holds the events with that value; `unknown`
holds those that could
say it and did not. By item or category an order's money is split over its lines, and the order counts once for each
of its items.
按维度（渠道、地区、商品等）拆分或筛选时，只含具有该值的事件；`unknown` 为本可注明却未注明的。按商品或类目时，
订单金额按明细拆分，订单数对每件商品各计一次。
"""


def metrics_document() -> str:
    """The whole document, in Markdown."""
    lines = [_HEAD, "## Metrics · 指标", "", "| metric | | | formula |", "| --- | --- | --- | --- |"]
    lines += [f"| [`{m.name}`](#{m.name}) | {m.title} | {m.title_zh} | {_formula(m)} |" for m in METRICS.values()]
    for metric in METRICS.values():
        lines += ["", *_metric(metric)]
    lines += ["", "## Tables of their own · 专题表"]
    for table in TABLES:
        lines += ["", *_table(table)]
    return "\n".join(lines) + "\n"


def _metric(metric: Metric) -> Iterator[str]:
    said, unit = metric.explanation, _UNITS[metric.unit]
    yield f"### {metric.name}"
    yield ""
    yield f"**{metric.title}: {metric.definition}.** {said.read.en}"
    yield ""
    yield f"- Not to be mistaken: {said.beware.en}"
    yield f"- Null: {_null(metric).en}"
    yield ""
    yield f"**{metric.title_zh}：{metric.definition_zh}。** {said.read.zh}"
    yield ""
    yield f"- 不要误读：{said.beware.zh}"
    yield f"- 何时为空：{_null(metric).zh}"
    yield ""
    yield "| formula 公式 | unit 单位 | dimensions 维度 |"
    yield "| --- | --- | --- |"
    yield f"| {_formula(metric)} | {unit.en} {unit.zh} | {', '.join(f'`{name}`' for name in metric.dimensions)} |"


def _formula(metric: Metric) -> str:
    # What is counted or summed is said in words; a formula of metrics in their names.
    return metric.formula if metric.measure is not None else f"`{metric.formula}`"


def _null(metric: Metric) -> Both:
    lacking = ", ".join(f"`{name}`" for name in DIMENSIONS if name not in metric.dimensions)
    by = Both(f"by or filtered by {lacking}", f"按 {lacking} 拆分或筛选时") if lacking else Both("", "")
    if metric.ratio is None:
        whole = Both("never for the whole", "整体从不为空")
    else:
        under = metric.ratio[1]
        whole = Both(f"when `{under}` is zero", f"`{under}` 为零时")
    joined = Both(f"{whole.en}; {by.en}" if lacking else whole.en, f"{whole.zh}；{by.zh}" if lacking else whole.zh)
    return Both(
        f"{joined.en}; in a minute of a series without events while some may still come.",
        f"{joined.zh}；序列中尚可能有数据到来的空白时段。",
    )


def _table(table: TableText) -> Iterator[str]:
    yield f"### {table.title.en} · {table.title.zh}"
    yield ""
    yield f"`GET /api/v1/campaigns/{{id}}/{table.path}`"
    yield ""
    yield table.text.en
    yield ""
    yield table.text.zh
    yield ""
    yield "| column | | |"
    yield "| --- | --- | --- |"
    for column in table.columns:
        yield f"| `{column.name}` | {column.text.en} | {column.text.zh} |"
    if table.metrics:
        listed = ", ".join(f"[`{name}`](#{name})" for name in table.metrics)
        yield ""
        yield f"And, as in the catalogue · 以及与目录同义的：{listed}."
