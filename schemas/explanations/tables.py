"""The tables whose columns are more than metrics of the catalogue."""

from __future__ import annotations

from schemas.explanations.text import Both, ColumnText, TableText


def _column(name: str, en: str, zh: str) -> ColumnText:
    return ColumnText(name, Both(en, zh))


PACING = TableText(
    "pacing",
    Both("Pacing", "进度"),
    Both(
        "One row for each target, of the campaign and of its phases, and for each channel's budget: where it stands, "
        "where "
        "it should stand by now, where it will end. Judged up to `complete_until` and not up to now, so that events "
        "that "
        "are still on their way do not look like a shortfall. Only counts and money are paced: a ratio shows its "
        "value as "
        "its best guess, and visitors or buyers are compared with the baseline but not projected, because later "
        "hours bring "
        "fewer new ones. The range holds the truth in nine of ten cases if the rest of the campaign follows the same "
        "shape "
        "at the same level; a price cut that is still to come is in no range.",
        "活动与各阶段的每个目标、每个渠道的预算各一行：现在到哪里，此刻应到哪里，最终会到哪里。以 `complete_until` "
        "为准而非现在，"
        "避免把在途的数据看成落后。只有计数与金额才推算进度：比率以现值为最佳估计；访客、"
        "买家等去重人数只与基线比较而不推算，"
        "因为越往后新出现的人越少。若其余时间保持同样的形状与水平，区间十次中有九次包含真实结果；"
        "尚未发生的降价等变化不在其内。",
    ),
    (
        _column(
            "metric", "the metric that the target is for; `ad_cost` for a budget", "目标所属的指标；预算为 `ad_cost`"
        ),
        _column("scope", "`campaign`, `phase` or `budget`", "`campaign` 全程、`phase` 阶段或 `budget` 预算"),
        _column("phase", "the phase; null for others", "阶段名；其他为空"),
        _column("channel", "the budget's channel; null for others", "预算的渠道；其他为空"),
        _column("from", "start of the span", "时段开始"),
        _column("to", "its end", "时段结束"),
        _column(
            "state",
            "`upcoming`, `current` or `ended`, by the campaign's clock",
            "`upcoming` 未开始、`current` 进行中、`ended` 已结束，按活动时钟",
        ),
        _column("target", "what is to be reached", "目标值"),
        _column("value", "what was reached up to `complete_until`", "截至 `complete_until` 的达成值"),
        _column("attained", "value / target", "达成率：达成值 / 目标值"),
        _column(
            "expected",
            "what should be reached by then: the target times the share that the baseline campaign had reached at "
            "the same "
            "distance from its start, or the share of time that has passed",
            "此刻应达成值：目标 × 基线活动在距其开始同样时长时的完成比例；无基线时按时间比例",
        ),
        _column("expected_from", "`baseline` or `linear`", "依据：`baseline` 基线或 `linear` 按时间"),
        _column(
            "expected_per_minute",
            "by how much `expected` grows in the minute after `complete_until`; null once ended and where nothing is "
            "expected",
            "`complete_until` 之后一分钟内应达成值的增量；结束后或无应达成值时为空",
        ),
        _column("ahead", "value - expected; negative when behind", "领先量：达成值 - 应达成值，落后为负"),
        _column("projected", "what will be reached at the end", "预计最终值"),
        _column(
            "projected_low", "lower end of the 90 % range; null with too short a past", "90 % 区间下限；历史太短时为空"
        ),
        _column("projected_high", "upper end of it", "90 % 区间上限"),
        _column(
            "rate_per_minute",
            "what comes in a minute: over the last 15 minutes, for a budget over the last 60",
            "每分钟增量：最近 15 分钟平均；预算为最近 60 分钟",
        ),
        _column(
            "needed_per_minute",
            "what must come in a minute from `complete_until` on to reach the target; null once ended",
            "从 `complete_until` 起每分钟需要多少才能达标；结束后为空",
        ),
        _column(
            "behind", "whether value is below expected; null where nothing is expected", "是否落后；无应达成值时为空"
        ),
        _column(
            "exhausted_at",
            "budgets: when it is used up at the present rate, or was; null if not before the end",
            "预算：按当前速度用完（或已用完）的时刻；结束前用不完为空",
        ),
        _column(
            "complete_until",
            "the moment up to which it was judged; null when ingest has reported none, then it was judged up to now",
            "判定截止时刻；数据接入未上报时为空，此时按现在判定",
        ),
    ),
)

LADDER = TableText(
    "ladder",
    Both("Money ladder", "金额阶梯"),
    Both(
        "From what was placed to what one can count on: `placed` is GMV, `paid` is paid GMV, `net_of_refunds` is net "
        "sales, "
        "`net_of_suspicion` leaves out orders suspected of brushing. A payment is suspected when its buyer or its "
        "device "
        "paid many orders (10, unless set otherwise) of this campaign within the same clock hour. Suspicion is a "
        "rule of "
        "thumb and no proof. Refunds count when they happen, so a later rung can fall below zero in a short period.",
        "从下单到真正可依靠的钱：`placed` 为成交额，`paid` 为支付金额，`net_of_refunds` 为净销售额，"
        "`net_of_suspicion` 再去掉疑似刷单。"
        "同一买家或同一设备在同一整点小时内支付本活动订单达到一定数量（默认 10 笔）即为疑似。疑似只是经验规则，"
        "不是证据。"
        "退款按发生时间计，短时段内后面的档可能为负。",
    ),
    (
        _column(
            "rung",
            "`placed`, `paid`, `net_of_refunds`, `net_of_suspicion`",
            "档位：`placed` 下单、`paid` 支付、`net_of_refunds` 扣退款、`net_of_suspicion` 再扣疑似刷单",
        ),
        _column("amount", "money on this rung", "该档金额"),
        _column(
            "orders",
            "orders on it: placed, paid, and of the paid those that were not refunded",
            "该档订单数：下单、支付，以及支付中扣去已退款的",
        ),
        _column("share", "amount / placed", "占比：金额 / 下单金额"),
        _column("complete_until", "up to here all order events are in", "订单数据完整至该时刻"),
    ),
)

ATTRIBUTION = TableText(
    "attribution",
    Both("Attribution", "归因"),
    Both(
        "Who gets the credit for a paid order. `order`: the channel or source that the order itself names. "
        "`first_touch` and "
        "`last_touch`: the buyer's earliest or latest visit within the look-back before paying (7 days unless you say "
        "otherwise). Every order is credited once, so the rows add up to the whole, except distinct people. "
        "`unattributed` "
        "paid without any visit that we saw, `unknown` visited without saying where from. The metrics are those of the "
        "catalogue, on the credited orders. Credit is a convention and no proof of cause.",
        "一笔支付订单归功于谁。`order`：订单自带的渠道或来源。`first_touch` 与 `last_touch`："
        "买家付款前回溯期内（默认 7 天）"
        "最早或最晚的一次访问。每单只归一次，所以除去重人数外各行之和等于总数。`unattributed` 为付款前未见访问，"
        "`unknown` 为有访问但来源不明。"
        "各指标含义同目录，按归因后的订单计算。归因是约定，不是因果证明。",
    ),
    (
        _column("budget", "the channel's budget", "该渠道预算"),
        _column("budget_used", "share of it that is spent", "预算使用比例"),
        _column("burn_rate_per_hour", "ad spend of the last 60 minutes", "最近 60 分钟的广告花费"),
        _column(
            "budget_exhausted_at",
            "when the budget is used up at that rate; null if not before the campaign's end",
            "按此速度预算用完的时刻；活动结束前用不完为空",
        ),
        _column(
            "marginal_roas",
            "credited paid GMV of the last hour / ad spend of that hour: what the money spent just now returns. Visits "
            "need time to become orders, so it reads low right after spend rises",
            "最近一小时归因支付金额 / 该小时花费：刚花的钱回报如何。从访问到下单需要时间，刚加预算时会偏低",
        ),
    ),
    (
        "orders_paid",
        "paid_gmv",
        "refund_amount",
        "net_sales",
        "buyers",
        "new_buyers",
        "ad_cost",
        "coupon_cost",
        "cost",
        "impressions",
        "clicks",
        "roas",
        "roi",
        "cac",
        "cpa",
        "cpc",
        "ctr",
    ),
)

COHORTS = TableText(
    "cohorts",
    Both("Cohorts", "同期群"),
    Both(
        "Buyers grouped by the day or the channel of their first paid order in this campaign, and what they did in the "
        "period since. With `age` one row for each group and each hour, day or week since the buyer's own first order. "
        "Young groups have had less time: compare groups at the same age.",
        "按买家在本活动中首笔支付订单的日期或渠道分组，看他们在时段内的表现。加上 `age` 后，每组按距其首单的小时、"
        "天或周各一行。"
        "较新的组时间较短：请在相同时长下比较。",
    ),
    (
        _column("cohort", "the day in the campaign's zone, or the channel", "首单日期（活动时区）或渠道"),
        _column("buyers", "buyers of the group who paid in the period", "该组在时段内付款的买家"),
        _column("new_buyers", "those whose first order says that they are new customers", "首单标明新客的买家"),
        _column("returning_buyers", "the others", "其余买家"),
        _column("repurchasers", "those who paid two or more orders in the period", "时段内支付两单及以上的买家"),
        _column("repurchase_rate", "repurchasers / buyers", "复购率：复购买家 / 买家"),
        _column("orders_paid", "their paid orders", "他们的支付订单数"),
        _column("paid_gmv", "what they paid", "他们的支付金额"),
        _column("refund_amount", "what they got back", "退回给他们的金额"),
        _column("net_sales", "paid_gmv - refund_amount", "净销售额：支付金额 - 退款金额"),
        _column("value_per_buyer", "net_sales / buyers: what a buyer is worth to date", "每位买家迄今的净销售额"),
        _column(
            "acquisition_cost",
            "ad spend of that day, or of that channel in the period",
            "该日的广告花费，或该渠道在时段内的广告花费",
        ),
        _column(
            "cac", "acquisition_cost / new_buyers; here coupons are not in it", "获客花费 / 新客买家；此处不含优惠券"
        ),
        _column(
            "value_to_cost",
            "net_sales x gross margin / acquisition_cost: above 1 the group has paid back",
            "净销售额 × 毛利率 / 获客花费：大于 1 即已回本",
        ),
        _column("age", "whole steps since the buyer's first order, from 0", "距首单的整步数，从 0 起"),
        _column("buyers_active", "buyers of the group who paid at this age", "在该时长付款的买家"),
        _column("orders_paid_cumulated_per_buyer", "orders up to this age, per buyer", "截至该时长人均订单数"),
        _column("paid_gmv_cumulated_per_buyer", "money paid up to this age, per buyer", "截至该时长人均支付金额"),
    ),
)

EXPERIMENTS = TableText(
    "experiments",
    Both("Experiments", "实验"),
    Both(
        "Of the people who saw a variant, how many paid afterwards, and whether that differs from the control by "
        "more than "
        "chance. People who saw more than one variant are left out of all and counted. Read the warnings first: with a "
        "sample that is too small or a split that is skewed the rest means little. Looking every minute and stopping "
        "at the "
        "first small p-value finds differences that are none: decide beforehand how long to run.",
        "看到某个版本的人中，之后有多少付款，与对照组的差异是否超出偶然。看到多个版本的人不计入任何一组，单独计数。"
        "请先看警告：样本太小或分流不均时其余数字意义不大。若每分钟都看、一见 p 值小就停，会“发现”不存在的差异："
        "请事先定好时长。",
    ),
    (
        _column("experiment", "the experiment's name", "实验名"),
        _column("variant", "the variant", "版本"),
        _column("is_control", "whether the others are compared with it", "是否对照组"),
        _column("users", "people who saw it, and no other variant", "只看到该版本的人数"),
        _column("converted", "of them, those who paid at or after they first saw it", "首次看到后付款的人数"),
        _column("conversion", "converted / users", "转化率：付款人数 / 人数"),
        _column("low", "lower end of the 95 % interval (Wilson)", "95 % 区间下限（Wilson）"),
        _column("high", "upper end of it", "95 % 区间上限"),
        _column("difference", "conversion less the control's", "与对照组转化率之差"),
        _column(
            "difference_low",
            "lower end of its 95 % interval (Newcombe); an interval that holds 0 shows no difference",
            "差值 95 % 区间下限（Newcombe）；区间含 0 即看不出差异",
        ),
        _column("difference_high", "upper end of it", "差值区间上限"),
        _column("lift", "difference / the control's conversion", "提升：差值 / 对照组转化率"),
        _column(
            "p_value",
            "how probable so large a difference is when there is none; not how probable it is that there is none",
            "若本无差异，出现这么大差异的概率；不是“无差异”的概率",
        ),
        _column("crossed", "people left out because they saw several variants", "因看到多个版本而剔除的人数"),
        _column("warnings", "sentences on what makes the numbers doubtful", "使数字存疑之处"),
    ),
)

FUNNEL = TableText(
    "funnel",
    Both("Funnel", "漏斗"),
    Both(
        "How many people got from visit to payment, step by step: `visit`, `view_item`, `add_to_cart`, "
        "`begin_checkout`, "
        "`order_created`, `order_paid`. Someone has reached a step when the steps before it happened before it, in "
        "that "
        "order and within the period. Counted per person and exactly. Who buys without ever putting into the cart is "
        "not in "
        "the later steps, so the last step is smaller than buyers.",
        "从访问到支付，每一步有多少人到达：访问、浏览商品、加购、结算、下单、支付。前面各步须在时段内依次先发生，"
        "才算到达该步。"
        "按人精确计数。未加购直接购买的人不在后面的步骤里，所以最后一步小于支付买家数。",
    ),
    (
        _column("step", "the step", "步骤"),
        _column("users", "people who reached it", "到达人数"),
        _column("step_conversion", "share of those who reached the step before", "占上一步人数之比"),
        _column("overall_conversion", "share of those who visited", "占访问人数之比"),
        _column("lost", "people who reached the step before and not this one", "到达上一步而未到这一步的人数"),
        _column(
            "median_seconds",
            "half of those who reached it took no longer from the step before; null for visit",
            "到达者从上一步到这一步用时的中位数（秒）；访问为空",
        ),
    ),
)

INVENTORY = TableText(
    "inventory",
    Both("Stock", "库存"),
    Both(
        "What is left of each item, how fast it sells and when it runs out if it goes on selling like that. The "
        "items that "
        "run out first come first. The rate is that of the last 15 minutes, so a rate of few pieces is uncertain: "
        "see the "
        "range.",
        "每件商品还剩多少、卖得多快、照此何时卖完。先断货的排在前面。速度取最近 15 分钟，件数少时不确定：请看区间。",
    ),
    (
        _column("item_id", "the item", "商品"),
        _column("item_category", "its category", "类目"),
        _column("available", "pieces left, over all warehouses", "各仓合计可售件数"),
        _column("safety_stock", "pieces that are not to be sold below", "安全库存"),
        _column("sell_rate_per_minute", "pieces paid a minute, of late", "近期每分钟支付件数"),
        _column(
            "stockout_eta", "when it runs out at that rate; null if nothing sells", "按此速度卖完的时刻；无销售为空"
        ),
        _column("sell_rate_low", "lower end of the rate's 90 % interval (Poisson)", "速度 90 % 区间下限（泊松）"),
        _column("sell_rate_high", "upper end of it", "速度 90 % 区间上限"),
        _column("stockout_earliest", "when it runs out at the high rate", "按上限速度的卖完时刻"),
        _column("stockout_latest", "when it runs out at the low rate", "按下限速度的卖完时刻"),
        _column("at_risk", "whether it runs out within 60 minutes", "是否 60 分钟内卖完"),
        _column(
            "ad_cost_last_hour",
            "estimate of what was spent on it in the last hour: each channel's ad spend by the item's share of that "
            "channel's item views. Money spent on an item that is about to run out is wasted",
            "最近一小时花在该商品上的广告费估计：各渠道花费 × 该商品占该渠道商品浏览的比例。快卖完还在投放即浪费",
        ),
    ),
)

TABLES = (PACING, LADDER, ATTRIBUTION, COHORTS, EXPERIMENTS, FUNNEL, INVENTORY)
