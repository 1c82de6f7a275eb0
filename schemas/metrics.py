"""The metric catalogue: the one place from which API, page, exporter and documentation read.

A metric is computed from measures. A measure is what one kind of event contributes (a sum or a distinct count); a
metric is a measure, a sum of metrics or a ratio of metrics. A metric carries a dimension when every kind of event
behind it does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from schemas.explanations.metrics import EXPLANATIONS
from schemas.explanations.text import Explanation

Number = int | float | Decimal
Value = Number | None


class Kind(StrEnum):
    """The kinds of events that metrics are made of."""

    TRAFFIC = "traffic"
    ORDERS = "orders"
    COUPONS = "coupons"
    SPEND = "spend"


class Unit(StrEnum):
    """What a number means and how it is written."""

    COUNT = "count"
    """A whole number."""
    MONEY = "money"
    """An exact amount in the reporting currency: a decimal string with two decimals in JSON."""
    RATIO = "ratio"
    """A pure number; null when its denominator is zero."""
    MONEY_RATIO = "money_ratio"
    """An amount per something, as a JSON number; null when there is none of that something."""


DIMENSIONS: dict[str, frozenset[Kind]] = {
    "channel": frozenset(Kind),
    "region": frozenset(Kind),
    "item_category": frozenset({Kind.TRAFFIC, Kind.ORDERS}),
    "item_id": frozenset({Kind.TRAFFIC, Kind.ORDERS}),
    "utm_source": frozenset({Kind.TRAFFIC, Kind.ORDERS, Kind.SPEND}),
    "device_category": frozenset({Kind.TRAFFIC}),
    "phase": frozenset(Kind),
    "customer_type": frozenset({Kind.ORDERS}),
}
"""Each dimension, with the kinds of events that carry it."""


class Shape(StrEnum):
    """How a measure combines over events."""

    COUNT = "count"
    MONEY = "money"
    DISTINCT = "distinct"


@dataclass(frozen=True, slots=True)
class Measure:
    """What one kind of event contributes."""

    name: str
    kind: Kind
    shape: Shape


MEASURES: dict[str, Measure] = {
    measure.name: measure
    for measure in (
        Measure("pv", Kind.TRAFFIC, Shape.COUNT),
        Measure("uv", Kind.TRAFFIC, Shape.DISTINCT),
        Measure("sessions", Kind.TRAFFIC, Shape.DISTINCT),
        Measure("orders_created", Kind.ORDERS, Shape.COUNT),
        Measure("orders_paid", Kind.ORDERS, Shape.COUNT),
        Measure("orders_cancelled", Kind.ORDERS, Shape.COUNT),
        Measure("orders_refunded", Kind.ORDERS, Shape.COUNT),
        Measure("payments_failed", Kind.ORDERS, Shape.COUNT),
        Measure("gmv", Kind.ORDERS, Shape.MONEY),
        Measure("paid_gmv", Kind.ORDERS, Shape.MONEY),
        Measure("refund_amount", Kind.ORDERS, Shape.MONEY),
        Measure("buyers", Kind.ORDERS, Shape.DISTINCT),
        Measure("new_buyers", Kind.ORDERS, Shape.DISTINCT),
        # Pieces sold: behind the sell rate of stock, no metric of its own.
        Measure("paid_units", Kind.ORDERS, Shape.COUNT),
        Measure("coupons_issued", Kind.COUPONS, Shape.COUNT),
        Measure("coupons_claimed", Kind.COUPONS, Shape.COUNT),
        Measure("coupons_redeemed", Kind.COUPONS, Shape.COUNT),
        Measure("coupon_cost", Kind.COUPONS, Shape.MONEY),
        Measure("ad_cost", Kind.SPEND, Shape.MONEY),
        Measure("impressions", Kind.SPEND, Shape.COUNT),
        Measure("clicks", Kind.SPEND, Shape.COUNT),
    )
}


@dataclass(frozen=True, slots=True)
class Metric:
    """One number that people act on.

    Exactly one of `measure`, `terms` and `ratio` says how it is computed: from a measure of that name, as a signed sum
    of metrics, or as numerator over denominator.
    """

    name: str
    unit: Unit
    title: str
    title_zh: str
    definition: str
    definition_zh: str
    formula: str
    measure: str | None = None
    terms: tuple[tuple[int, str], ...] = ()
    ratio: tuple[str, str] | None = None

    @property
    def explanation(self) -> Explanation:
        """How to read it, and what it is not."""
        return EXPLANATIONS[self.name]

    @property
    def measures(self) -> frozenset[str]:
        """The names of all measures behind it."""
        if self.measure is not None:
            return frozenset({self.measure})
        parts = self.ratio if self.ratio is not None else tuple(name for _, name in self.terms)
        return frozenset().union(*(METRICS[name].measures for name in parts))

    @property
    def kinds(self) -> frozenset[Kind]:
        """The kinds of events behind it."""
        return frozenset(MEASURES[name].kind for name in self.measures)

    @property
    def dimensions(self) -> tuple[str, ...]:
        """The dimensions that every kind of event behind it carries."""
        return tuple(name for name, carriers in DIMENSIONS.items() if self.kinds <= carriers)


def _counted(name: str, title: str, title_zh: str, definition: str, definition_zh: str) -> Metric:
    unit = Unit.MONEY if MEASURES[name].shape is Shape.MONEY else Unit.COUNT
    return Metric(name, unit, title, title_zh, definition, definition_zh, definition, measure=name)


def _ratio(
    name: str, over: tuple[str, str], title: str, title_zh: str, definition: str, definition_zh: str, unit: Unit
) -> Metric:
    return Metric(
        name, unit, title, title_zh, definition, definition_zh, f"{over[0]} / {over[1]}", ratio=(over[0], over[1])
    )


_ALL = (
    _counted("pv", "Page views", "浏览量", "page_view + view_item events", "page_view 与 view_item 事件数之和"),
    _counted("uv", "Unique visitors", "访客数", "distinct user_id in traffic", "流量事件中去重的 user_id 数"),
    _counted("sessions", "Sessions", "会话数", "distinct session_id in traffic", "流量事件中去重的 session_id 数"),
    _counted("orders_created", "Orders placed", "下单数", "order_created events", "order_created 事件数"),
    _counted("orders_paid", "Orders paid", "支付订单数", "order_paid events", "order_paid 事件数"),
    _counted("orders_cancelled", "Orders cancelled", "取消订单数", "order_cancelled events", "order_cancelled 事件数"),
    _counted("orders_refunded", "Refunds", "退款笔数", "order_refunded events", "order_refunded 事件数"),
    _counted("payments_failed", "Failed payments", "支付失败数", "payment_failed events", "payment_failed 事件数"),
    _counted("gmv", "GMV", "成交额", "sum of value of order_created", "order_created 的 value 之和"),
    _counted("paid_gmv", "Paid GMV", "支付金额", "sum of value of order_paid", "order_paid 的 value 之和"),
    _counted("refund_amount", "Refunded", "退款金额", "sum of value of order_refunded", "order_refunded 的 value 之和"),
    Metric(
        "net_sales",
        Unit.MONEY,
        "Net sales",
        "净销售额",
        "paid GMV less refunds; a refund counts when it happens",
        "支付金额减退款金额；退款按其发生时间计入",
        "paid_gmv - refund_amount",
        terms=((1, "paid_gmv"), (-1, "refund_amount")),
    ),
    _counted("buyers", "Buyers", "支付买家数", "distinct user_id of order_paid", "order_paid 中去重的 user_id 数"),
    _counted(
        "new_buyers",
        "New buyers",
        "新客买家数",
        "distinct user_id of order_paid with new_customer true",
        "new_customer 为真的 order_paid 中去重的 user_id 数",
    ),
    _ratio(
        "aov",
        ("paid_gmv", "orders_paid"),
        "Average order value",
        "客单价",
        "paid GMV per paid order",
        "每笔支付订单的金额",
        Unit.MONEY_RATIO,
    ),
    _ratio(
        "conversion_rate",
        ("buyers", "uv"),
        "Conversion rate",
        "转化率",
        "buyers per unique visitor",
        "支付买家数占访客数之比",
        Unit.RATIO,
    ),
    _ratio(
        "payment_rate",
        ("orders_paid", "orders_created"),
        "Payment rate",
        "支付率",
        "paid orders per placed order",
        "支付订单数占下单数之比",
        Unit.RATIO,
    ),
    _ratio(
        "refund_rate",
        ("orders_refunded", "orders_paid"),
        "Refund rate",
        "退款率",
        "refunds per paid order",
        "退款笔数占支付订单数之比",
        Unit.RATIO,
    ),
    _ratio(
        "refund_amount_rate",
        ("refund_amount", "paid_gmv"),
        "Refund amount rate",
        "退款金额率",
        "refunded money per paid money",
        "退款金额占支付金额之比",
        Unit.RATIO,
    ),
    _counted("coupons_issued", "Coupons issued", "发券数", "coupon_issued events", "coupon_issued 事件数"),
    _counted("coupons_claimed", "Coupons claimed", "领券数", "coupon_claimed events", "coupon_claimed 事件数"),
    _counted("coupons_redeemed", "Coupons redeemed", "核销券数", "coupon_redeemed events", "coupon_redeemed 事件数"),
    _ratio(
        "coupon_redemption_rate",
        ("coupons_redeemed", "coupons_claimed"),
        "Coupon redemption rate",
        "核销率",
        "redeemed coupons per claimed coupon",
        "核销券数占领券数之比",
        Unit.RATIO,
    ),
    _counted(
        "coupon_cost",
        "Coupon cost",
        "优惠券成本",
        "sum of face_value of coupon_redeemed",
        "coupon_redeemed 的 face_value 之和",
    ),
    _counted("ad_cost", "Ad spend", "广告花费", "sum of cost over ad_spend", "ad_spend 的 cost 之和"),
    _counted(
        "impressions", "Impressions", "曝光量", "sum of impressions over ad_spend", "ad_spend 的 impressions 之和"
    ),
    _counted("clicks", "Clicks", "点击量", "sum of clicks over ad_spend", "ad_spend 的 clicks 之和"),
    Metric(
        "cost",
        Unit.MONEY,
        "Cost",
        "营销成本",
        "ad spend plus redeemed coupons",
        "广告花费与优惠券成本之和",
        "ad_cost + coupon_cost",
        terms=((1, "ad_cost"), (1, "coupon_cost")),
    ),
    _ratio(
        "roas",
        ("paid_gmv", "ad_cost"),
        "Return on ad spend",
        "广告投产比",
        "paid GMV per unit of ad spend",
        "支付金额与广告花费之比",
        Unit.RATIO,
    ),
    Metric(
        "roi",
        Unit.RATIO,
        "Return on investment",
        "投入产出比",
        "gross profit on net sales less cost, per unit of cost",
        "净销售额毛利减营销成本，再除以营销成本",
        "(net_sales x gross margin - cost) / cost",
        ratio=("net_sales", "cost"),
    ),
    _ratio(
        "cac",
        ("cost", "new_buyers"),
        "Customer acquisition cost",
        "获客成本",
        "cost per new buyer",
        "每个新客买家的营销成本",
        Unit.MONEY_RATIO,
    ),
    _ratio(
        "cpa",
        ("ad_cost", "orders_paid"),
        "Cost per paid order",
        "单笔支付成本",
        "ad spend per paid order",
        "每笔支付订单的广告花费",
        Unit.MONEY_RATIO,
    ),
    _ratio(
        "cpc",
        ("ad_cost", "clicks"),
        "Cost per click",
        "单次点击成本",
        "ad spend per click",
        "每次点击的广告花费",
        Unit.MONEY_RATIO,
    ),
    _ratio(
        "ctr",
        ("clicks", "impressions"),
        "Click-through rate",
        "点击率",
        "clicks per impression",
        "点击量占曝光量之比",
        Unit.RATIO,
    ),
)

METRICS: dict[str, Metric] = {metric.name: metric for metric in _ALL}
"""Every metric of the contract by name, in the order in which people read them."""


def measures_of(names: Iterable[str]) -> frozenset[str]:
    """The measures that these metrics need."""
    return frozenset().union(*(METRICS[name].measures for name in names))


def compute(name: str, measures: Mapping[str, Value], gross_margin: Decimal) -> Value:
    """The value of a metric from the values of its measures.

    A measure that is None (its kind of event has no such dimension) makes the metric None, and so does a denominator
    of zero. Counts are int, money is Decimal, ratios are float.
    """
    metric = METRICS[name]
    if metric.measure is not None:
        return measures[metric.measure]
    if metric.ratio is None:
        total = Decimal(0)
        for sign, term in metric.terms:
            value = compute(term, measures, gross_margin)
            if value is None:
                return None
            total += sign * Decimal(value)
        return total
    numerator, denominator = (compute(part, measures, gross_margin) for part in metric.ratio)
    if numerator is None or denominator is None or denominator == 0:
        return None
    if name == "roi":
        numerator = Decimal(numerator) * gross_margin - Decimal(denominator)
    return float(Decimal(numerator) / Decimal(denominator))
