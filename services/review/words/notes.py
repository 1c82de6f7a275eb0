"""How figures were computed: for each note a title and a text, with the formula."""

from __future__ import annotations

_Pair = tuple[str, str]

NOTES: dict[str, tuple[_Pair, _Pair]] = {
    "elapsed": (
        ("How much of the campaign's time has passed", "活动进度"),
        (
            "(end of the period - start) / (declared end - start). The period ends with the last minute of which "
            "everything is in, so that its figures do not change under their links.",
            "（统计截止 - 开始）/（计划结束 - 开始）。统计截止于数据已完整的最后一分钟，因此链接中的数字不再变化。",
        ),
    ),
    "change": (
        ("Change against the baseline", "较基准变化"),
        (
            "value / baseline - 1, of the two values in the overview.",
            "本次 / 基准 - 1，取概览中的两个数值。",
        ),
    ),
    "drivers": (
        ("Decomposition of the difference", "差额分解"),
        (
            "An amount is visitors x buyers a visitor x orders a buyer x amount an order (or as many of these as "
            "have "
            "a target). Each factor contributes L x ln(now / then), with L = (now - then) / ln(now / then) of the "
            "amounts: the logarithmic mean Divisia index, additive form (LMDI-I; Ang, Energy Policy 86, 2015). The "
            "contributions add up to the difference to the cent; cents that rounding leaves over go to the factors "
            "that it took the most from. Visitors and buyers are distinct, estimated within 0.5 % beyond some "
            "thousands.",
            "金额 = 访客数 × 人均购买率 × 人均订单数 × 单均金额（与目标比较时取设有目标的环节）。各因素的贡献为 "
            "L × ln(本次 / 基准)，其中 L = (本次 - 基准) / ln(本次 / 基准)，取自金额：对数平均迪氏指数加法形式"
            "（LMDI-I；Ang, Energy Policy 86, 2015）。各贡献之和精确到分等于差额；舍入剩余的分归于被舍去最多的因素。"
            "访客与买家为去重数，数千以上为估计值，误差在 0.5 % 以内。",
        ),
    ),
    "channel_drivers": (
        ("Decomposition by channel", "按渠道分解"),
        (
            "A channel contributes its own difference in paid GMV; these add up to the whole. Within a channel "
            "the same "
            "decomposition holds along its row. A column does not add up to the factor of the whole, since one "
            "visitor "
            "may come by two channels. A dash: a channel that has nothing in one of the two periods has no ratio.",
            "渠道的贡献为其支付金额之差，各渠道之和等于总差额。每行内部按同样方法分解。各列之和不等于总体因素，"
            "因为一位访客可来自两个渠道。横线：某一时段没有数据的渠道没有比值。",
        ),
    ),
    "budget": (
        ("Budget used", "预算使用"),
        ("ad spend of the channel / its declared budget.", "渠道广告花费 / 计划预算。"),
    ),
    "leak": (
        ("What lost users were worth: an estimate", "流失用户的价值（估计）"),
        (
            "lost x (users who paid / users who took the step) x (paid GMV / buyers): what they would have paid "
            "had they "
            "gone on as those did who took the step. It is an upper bound, since who leaves wants it less, and the "
            "losses of different steps must not be added up. Against the baseline: the same for users of the "
            "step before "
            "x (the baseline's rate - the rate now) alone.",
            "流失人数 ×（支付人数 / 完成该步人数）×（支付金额 / 支付买家数）：假设他们此后与完成该步者表现相同。"
            "这是上限，因为离开者意愿较低；不同步骤的损失不可相加。较基准：仅取上一步人数 ×（基准转化 - 本次转化）。",
        ),
    ),
    "peak": (
        ("Peaks", "峰值"),
        (
            "The best minutes of the series by the minute. Times the mean: the minute's orders / (orders placed "
            "/ minutes "
            "of the period).",
            "按分钟序列中的最高值。倍数：该分钟下单数 /（总下单数 / 时段分钟数）。",
        ),
    ),
    "stock": (
        ("What stock-outs cost: an estimate", "缺货损失（估计）"),
        (
            "what was placed of the item in the 60 minutes before / 60 x minutes without stock within the campaign, "
            "from the alerts stock_out. It assumes that demand would have stayed as it was, and that nobody "
            "bought another item or came back later.",
            "该商品缺货前 60 分钟的成交额 / 60 × 活动期内缺货分钟数（依据 stock_out 告警）。假设需求不变，"
            "且无人改买他物或稍后再来。",
        ),
    ),
    "response": (
        ("Response times", "响应时间"),
        (
            "From the alerts' time lines. To detect: from the onset to the firing. To page: from the onset to "
            "the first "
            "delivery to a receiver. To acknowledge: from that page (or the firing where nobody was paged) until "
            "somebody took it on. To resolve: from the onset to the end. An alert that was put down to another's "
            "cause "
            "belongs to that incident. Medians are over the incidents of which the time is known.",
            "取自告警时间线。发现：从发生到触发。通知：从发生到首次送达接收方。响应：从通知（未通知则从触发）到有人认领。"
            "恢复：从发生到结束。归因于其他告警的并入该事件。中位数只计有记录的事件。",
        ),
    ),
    "refunds": (
        ("Refunds until now", "至今退款"),
        (
            "refunds of the period + refunds since its end; shares are of the period's paid GMV. Net until "
            "now: paid "
            "GMV of the period less both. A refund counts when it happens, also for an order from before the "
            "campaign.",
            "活动期内退款 + 结束后退款；占比均以活动期支付金额为分母。至今净额：活动期支付金额减去两者。"
            "退款按发生时间计，包括活动前订单的退款。",
        ),
    ),
    "share": (
        ("Share", "占比"),
        ("the part / the whole that is named beside it.", "部分 / 旁边注明的整体。"),
    ),
    "repurchase": (
        ("Buyers who bought again", "复购买家"),
        (
            "the sums over the cohorts by the day of the first order; a buyer is in one cohort only.",
            "按首单日期分组求和；每位买家只属于一组。",
        ),
    ),
    "suspected": (
        ("Suspected of brushing", "疑似刷单"),
        (
            "net of refunds - net of suspected brushing, of the ladder. A suspicion and no proof.",
            "阶梯中“扣除退款”减“扣除疑似刷单”。仅为嫌疑，并非证据。",
        ),
    ),
    "unpaid": (
        ("Orders not paid", "未支付订单"),
        ("orders placed - orders paid, both of the period.", "本时段下单数减支付订单数。"),
    ),
}
