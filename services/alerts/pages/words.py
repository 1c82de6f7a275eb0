"""The words of a page, in both languages."""

from __future__ import annotations

from services.alerts.pages.page import Language

RULES: dict[str, tuple[str, str]] = {
    "traffic_spike": ("Traffic spike", "流量突增"),
    "traffic_drop": ("Traffic drop", "流量骤降"),
    "conversion_drop": ("Conversion drop", "转化下滑"),
    "gmv_behind_target": ("GMV behind target", "成交额落后目标"),
    "stock_low": ("Stock low", "库存偏低"),
    "stock_out": ("Stock-out", "库存告罄"),
    "refund_anomaly": ("Unusual refunds", "退款异常"),
    "refund_abuse": ("Refund abuse", "恶意退款"),
    "order_brushing": ("Order brushing", "疑似刷单"),
    "coupon_abuse": ("Coupon abuse", "薅券"),
    "payment_failure": ("Payments fail", "支付失败"),
    "budget_overrun": ("Budget overrun", "预算超支"),
    "roi_below_floor": ("Return below floor", "投入产出比过低"),
    "ingest_lag": ("Ingest behind", "数据接入滞后"),
    "data_silence": ("No data", "数据中断"),
    "dead_letters": ("Records refused", "数据被拒"),
    "delivery_failure": ("Receiver cannot be told", "告警无法送达"),
}
"""English and Chinese names of the rules that ship; another rule is called by its own name."""

_UNITS: dict[str, str] = {
    "events per second": "事件/秒",
    "paid orders per minute": "支付订单/分钟",
    "spend per minute": "花费/分钟",
    "of payments": "支付占比",
    "sales over ad spend by minute": "逐分钟投入产出比",
    "refunds": "笔退款",
    "orders": "笔订单",
    "paid orders": "笔支付订单",
    "coupons claimed": "张领取的券",
    "coupons redeemed": "张核销的券",
    "pieces": "件",
    "records": "条",
    "seconds": "秒",
    "seconds without an event": "秒无数据",
    "seconds without success": "秒未成功",
}
"""Units of evidence in Chinese."""

_MEASURES: dict[str, str] = {" per minute": "/分钟", " as a share of the baseline's": "（与基线之比）"}
"""What stands behind a metric that the rule names."""

_WORDS: dict[str, tuple[str, str]] = {
    "critical": ("CRITICAL", "严重"),
    "warning": ("WARNING", "警告"),
    "info": ("INFO", "提示"),
    "firing": ("firing", "触发中"),
    "acknowledged": ("acknowledged", "已认领"),
    "resolved": ("resolved", "已恢复"),
    "escalated": ("not acknowledged", "无人认领"),
    "pending": ("pending", "待确认"),
    "campaign_id": ("Campaign", "活动"),
    "channel": ("Channel", "渠道"),
    "region": ("Region", "地区"),
    "item_id": ("Item", "商品"),
    "item_category": ("Category", "品类"),
    "utm_source": ("Source", "来源"),
    "device_category": ("Device", "设备"),
    "customer_type": ("Customers", "客群"),
    "topic": ("Topic", "主题"),
    "phase": ("Phase", "阶段"),
    "suspect": ("Suspect", "嫌疑方"),
    "batch_id": ("Coupon batch", "券批次"),
    "receiver": ("Receiver", "接收方"),
    "everything": ("all campaigns", "全部活动"),
    "since": ("Since", "开始于"),
    "until": ("Ended", "结束于"),
    "value": ("Value", "当前值"),
    "limit": ("limit", "界限"),
    "loss": ("Estimated loss", "预估损失"),
    "a_minute": ("a minute", "每分钟"),
    "complete": ("Complete until", "数据完整至"),
    "owner": ("Owner", "负责人"),
    "cause": ("Part of incident", "所属事件"),
    "war_room": ("War room at that moment", "当时的战情室"),
    "alert": ("Alert and timeline", "告警与时间线"),
    "picture": ("Curve", "曲线"),
}


def word(name: str, language: Language) -> str:
    """The word, or the name itself where there is none."""
    english, chinese = _WORDS.get(name, (name, name))
    return chinese if language == "zh" else english


def rule_name(rule: str, language: Language) -> str:
    """What people call the rule."""
    english, chinese = RULES.get(rule, (rule, rule))
    return chinese if language == "zh" else english


def unit_name(unit: str, language: Language) -> str:
    """What a value of the evidence is counted in; a metric that a rule names keeps its own name."""
    if language == "en":
        return unit
    if unit in _UNITS:
        return _UNITS[unit]
    for measure, chinese in _MEASURES.items():
        if unit.endswith(measure):
            return unit.removesuffix(measure) + chinese
    return unit
