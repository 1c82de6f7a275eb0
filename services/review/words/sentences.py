"""Sentences with holes for figures and names."""

from __future__ import annotations

SENTENCES: dict[str, tuple[str, str]] = {
    # The head
    "span": ("{start} – {end} ({zone})", "{start} – {end}（{zone}）"),
    "ended": ("ended {ago} ago", "已结束 {ago}"),
    "so_far": ("so far: {elapsed} of its time", "进行中：已过 {elapsed} 的时间"),
    "so_far_open": ("so far: no end was declared", "进行中：未声明结束时间"),
    "coming": ("has not begun, or nothing of it is in yet", "尚未开始，或尚无数据到达"),
    "complete": ("complete: everything is in up to {watermark}", "完整：数据已完整至 {watermark}"),
    "incomplete": (
        "not complete: everything is in only up to {watermark}; figures may still change",
        "不完整：数据仅完整至 {watermark}，数字仍可能变化",
    ),
    "completeness_unknown": (
        "it is not known how complete it is; figures may still change",
        "完整程度未知，数字仍可能变化",
    ),
    "baseline": ("{campaign}, {start} – {end}", "{campaign}，{start} – {end}"),
    "no_baseline": ("no baseline was declared", "未声明对比基准"),
    # Tiles
    "of_target": ("{attained} of the target {target}", "目标 {target}，完成 {attained}"),
    "against_baseline": ("{change} against the baseline {then}", "较基准 {then} {change}"),
    "of_paid": ("{share} of what was paid", "占支付金额 {share}"),
    "of_new": ("{new} of them new", "其中新客 {new}"),
    "of_cost": ("{cost} spent", "花费 {cost}"),
    # Targets
    "no_targets": ("No targets were declared for this campaign.", "本活动未声明目标。"),
    "targets_reached": ("{reached} of {of} targets were reached.", "{of} 个目标中 {reached} 个达成。"),
    "targets_so_far": (
        "The campaign is still running: a share is of the target at its end.",
        "活动仍在进行：完成度以最终目标为分母。",
    ),
    # Drivers
    "no_drivers": (
        "Nothing to compare with: no baseline campaign was declared{and_targets}.",
        "没有可比对象：未声明基准活动{and_targets}。",
    ),
    "and_targets": (
        ", and the targets do not hold an amount together with what leads to it",
        "，目标中也没有金额及其前置环节",
    ),
    "and_not_over": (
        ", and targets are for the end of the campaign",
        "，而目标针对活动结束时",
    ),
    "drivers_baseline": (
        "{metric} was {now}, the baseline's over the same time {then}: a difference of {difference}. It is made of:",
        "{metric}为 {now}，基准同期为 {then}，差额 {difference}，由以下因素构成：",
    ),
    "drivers_target": (
        "{metric} was {now}, the target {then}: a difference of {difference}. It is made of:",
        "{metric}为 {now}，目标为 {then}，差额 {difference}，由以下因素构成：",
    ),
    "no_ratio": (
        "One of the two is zero in a step: there is no ratio to explain the difference with.",
        "其中一方某一环节为零，无法用比值解释差额。",
    ),
    "drivers_channels": ("By channel, of the same difference:", "同一差额按渠道："),
    # Channels
    "no_channels": ("Nothing happened on any channel in this period.", "本时段各渠道均无数据。"),
    "break_even": ("covers its ad spend at {roas}", "广告保本线 {roas}"),
    "margin": (
        "Return on investment is of net sales at the campaign's gross margin of {margin}.",
        "投入产出比按活动毛利率 {margin} 计算净销售额。",
    ),
    # Funnel
    "no_funnel": ("Nobody came in this period.", "本时段无访客。"),
    "funnel_whole": (
        "Of {visitors} visitors {paid} went all the way in order and paid.",
        "{visitors} 位访客中，{paid} 位按顺序走完全程并支付。",
    ),
    # Course
    "no_peaks": ("Nothing was ordered in this period.", "本时段没有订单。"),
    "peaks_too_long": (
        "The period is too long to be looked at by the minute.",
        "时段过长，未按分钟查看。",
    ),
    "peak_gmv": ("The best minute was {minute} with {gmv}.", "最高一分钟为 {minute}，成交额 {gmv}。"),
    "peak_orders": (
        "The most orders in a minute were {orders}, at {minute}: {times} times the mean.",
        "单分钟最多下单 {orders} 笔，时间 {minute}，为均值的 {times} 倍。",
    ),
    "buckets": ("Each step of the curve is {minutes} min.", "曲线每段为 {minutes} 分钟。"),
    "event_list": ("{sign}: {event}, {time}", "{sign}：{event}，{time}"),
    # Customers
    "no_buyers": ("Nobody paid in this period.", "本时段无人支付。"),
    "new_share": (
        "{new} of {buyers} buyers were new.",
        "{buyers} 位买家中 {new} 位为新客。",
    ),
    "repurchase": (
        "Of those whose first order of the campaign was on a day, so many bought again within the campaign:",
        "按活动内首单日期分组，此后在活动期内再次购买的情况：",
    ),
    "by_first_channel": ("By the channel of their first order:", "按首单渠道："),
    "first_of": ("The {shown} latest of {of} are shown.", "共 {of} 行，显示最近 {shown} 行。"),
    # Stock and incidents
    "no_alerts": (
        "The service of alerts could not be reached, so nothing is said here: {why}",
        "无法连接告警服务，此处不作说明：{why}",
    ),
    "no_stock_outs": (
        "No alert of an item without stock began in this period.",
        "本时段没有缺货告警。",
    ),
    "stock_outs": (
        "Stock-outs: {count}. Together they cost about {lost} (an estimate).",
        "{count} 次缺货合计损失约 {lost}（估计）。",
    ),
    "stock_more": (
        "Only the {shown} latest of {of} stock-outs are counted.",
        "共 {of} 次缺货，仅统计最近 {shown} 次。",
    ),
    "no_incidents": ("No alert fired in this period.", "本时段没有告警触发。"),
    "incident_count": (
        "Incidents: {count}. Further alerts that were put down to them: {consequences}. Told to a receiver: {paged}. "
        "Acknowledged: {taken}.",
        "{count} 起事件，另有 {consequences} 条告警归因于它们；{paged} 起已通知，{taken} 起有人认领。",
    ),
    "incidents_more": (
        "The {shown} gravest of {of} incidents are listed.",
        "共 {of} 起，列出最严重的 {shown} 起。",
    ),
    "known_of": ("{median} ({of})", "{median}（{of}）"),
    # Refunds
    "refunds_period": (
        "{amount} were refunded in this period, {rate} of what was paid.",
        "本时段退款 {amount}，占支付金额 {rate}。",
    ),
    "refunds_since": (
        "Since its end until {until} another {amount} in {count} refunds: {share} of what was paid until "
        "now; {net} remain.",
        "结束后至 {until} 又退款 {amount}，共 {count} 笔：至今占支付金额 {share}，剩余 {net}。",
    ),
    "refunds_open": (
        "Refunds go on after the end: this will be more.",
        "活动结束后仍会有退款，此数还会增加。",
    ),
    "refunds_items": ("Items with the most refunds until now:", "至今退款最多的商品："),
    # What to do next time
    "no_advice": (
        "No figure of this report calls for anything by the rules below which it would be said.",
        "按既定规则，本报告中没有数字需要采取行动。",
    ),
    "advice_missed": (
        "{phase} reached {attained} of its {metric} target ({value} of {target}): find out first what held it back.",
        "{phase} 的{metric}目标完成 {attained}（{value} / {target}）：先查明原因。",
    ),
    "advice_target_low": (
        "The {metric} target was exceeded ({attained}): set it from this campaign's {value} next time.",
        "{metric}目标被超额完成（{attained}）：下次以本次 {value} 为起点设定。",
    ),
    "advice_factor_down": (
        "{factor} cost the most against {against}: {contribution}. Work on it before anything else.",
        "与{against}相比，{factor}拖累最大：{contribution}。优先改进。",
    ),
    "advice_factor_up": (
        "{factor} brought the most against {against}: {contribution}. Keep what was done for it.",
        "与{against}相比，{factor}贡献最大：{contribution}。保留相关做法。",
    ),
    "advice_channel_loss": (
        "{channel} did not earn its cost (return on investment {roi}, {cost} spent): spend less there or "
        "change the offer.",
        "{channel} 未收回成本（投入产出比 {roi}，花费 {cost}）：减少投放或更换方案。",
    ),
    "advice_channel_best": (
        "{channel} returned the most on ad spend ({roas}) and used {used} of its budget: move money there, "
        "step by step.",
        "{channel} 广告投产比最高（{roas}），预算使用 {used}：逐步增加投放。",
    ),
    "advice_overspent": (
        "{channel} used {used} of its budget ({spent} of {budget}): cap it, or plan for it.",
        "{channel} 预算使用 {used}（{spent} / {budget}）：设上限或增加预算。",
    ),
    "advice_leak": (
        "Between {previous} and {step} the rate was below the baseline's ({rate} against {then}), worth "
        "about {worth}: "
        "look there first.",
        "从{previous}到{step}的转化低于基准（{rate} 对 {then}），约值 {worth}：先看这里。",
    ),
    "advice_payment": (
        "{rate} of the orders placed were paid: {unpaid} orders were not. Remind buyers, and check the ways to pay.",
        "下单支付率 {rate}，{unpaid} 笔未支付：提醒买家并检查支付方式。",
    ),
    "advice_stock": (
        "{item} was out of stock for {lasted} and lost about {lost}: prepare more of it, or a substitute.",
        "{item} 缺货 {lasted}，损失约 {lost}：多备货或准备替代品。",
    ),
    "advice_slow": (
        "Half of the acknowledged incidents waited {median} or more for somebody to take them on: settle who "
        "is on duty, "
        "and let pages escalate.",
        "已认领的事件中有一半等待了 {median} 以上：明确值班人并设置升级。",
    ),
    "advice_untaken": (
        "Of {paged} incidents that were told to a receiver nobody took on {untaken}: settle who answers.",
        "已通知的 {paged} 起事件中 {untaken} 起无人认领：明确由谁响应。",
    ),
    "advice_refunds": (
        "{item} was refunded {rate} of what was paid for it ({amount}), the whole {whole}: look at the item "
        "and its page.",
        "{item} 退款占其支付金额 {rate}（{amount}），整体为 {whole}：检查该商品及其页面。",
    ),
    "advice_peak": (
        "The peak was {orders} orders a minute, {times} times the mean: test with twice that before next time.",
        "峰值为每分钟 {orders} 单，是均值的 {times} 倍：下次前按两倍压测。",
    ),
    "advice_repurchase": (
        "{rate} of the buyers bought again within the campaign ({again} of {buyers}): give the others a "
        "reason to come back.",
        "活动内复购率 {rate}（{again} / {buyers}）：给其他买家一个再来的理由。",
    ),
    "advice_brushing": (
        "{amount} of what was paid, net of refunds, is suspected of brushing: check it before anybody is paid for it.",
        "扣除退款后有 {amount} 疑似刷单：结算佣金前先核查。",
    ),
}
