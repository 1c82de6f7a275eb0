import type { Locale } from "./core/format.ts";

/** Every word that the page itself says. `{name}` stands for a value that is put in. */
const en = {
  "app.title": "War room",
  "app.loading": "Connecting to the war room…",
  "app.noCampaign": "No campaign yet. It appears here with its first event.",
  "app.unknownCampaign": "There is no campaign “{id}”. Choose another above.",

  "header.picker": "Campaign",
  "header.auto": "Newest active",
  "header.theme": "Light / dark",
  "header.language": "中文",
  "header.languageHint": "切换到中文",
  "header.phase": "Phase",
  "header.noPhase": "No phase",
  "header.elapsed": "Elapsed",
  "header.startsIn": "Starts in",
  "header.endedAgo": "Ended",
  "header.phaseLeft": "Phase ends in",
  "header.left": "Ends in",
  "header.ago": "{span} ago",

  "fresh.connecting": "Connecting",
  "fresh.fresh": "Live",
  "fresh.late": "Data late",
  "fresh.stale": "Stale",
  "fresh.disconnected": "Disconnected",
  "fresh.asOf": "As of",
  "fresh.watermark": "Complete to",
  "fresh.behind": "{seconds} s behind",
  "fresh.staleBanner": "No new numbers for {span}. What you see is the state of {time}.",
  "fresh.downBanner": "No connection to the server for {span}. What you see is the state of {time}.",

  "hero.gmv": "GMV",
  "hero.perSecond": "GMV / s",
  "hero.paid": "Paid GMV",
  "hero.refunds": "Refunded",
  "hero.net": "Net sales",
  "hero.baseline": "vs baseline {id}",

  "phase.warm_up": "Warm-up",
  "phase.presale": "Presale",
  "phase.burst": "Burst",
  "phase.long_tail": "Long tail",
  "phase.review": "Review",

  "targets.title": "Attainment",
  "targets.total": "Whole campaign",
  "targets.phase": "Phase: {phase}",
  "targets.none": "No targets set",
  "targets.elapsed": "time elapsed; amber: behind it",
  "targets.of": "{value} of {target}",

  "metric.gmv": "GMV",
  "metric.paid_gmv": "Paid GMV",
  "metric.uv": "Visitors (UV)",
  "metric.pv": "Page views (PV)",
  "metric.orders_created": "Orders created",
  "metric.orders_paid": "Orders paid",
  "metric.conversion_rate": "Conversion",
  "metric.aov": "Avg. order (AOV)",
  "metric.roi": "ROI",
  "metric.refund_rate": "Refund rate",
  "metric.buyers": "Buyers",
  "metric.new_buyers": "New buyers",
  "metric.coupons_redeemed": "Coupons used",

  "curve.title": "Per second, last 10 minutes",
  "curve.gmv": "GMV / s",
  "curve.created": "Orders / s",
  "curve.paid": "paid",
  "curve.events": "Traffic / s",
  "curve.mean": "mean of {seconds} s",
  "curve.legend": "line: mean of {seconds} s · shaded right edge: still arriving",
  "curve.none": "No event in the last 10 minutes",
  "curve.description": "GMV, orders and traffic per second over the last ten minutes",

  "funnel.title": "Funnel",
  "funnel.visit": "Visit",
  "funnel.view_item": "View item",
  "funnel.add_to_cart": "Add to cart",
  "funnel.begin_checkout": "Checkout",
  "funnel.order_created": "Order",
  "funnel.order_paid": "Paid",
  "funnel.lost": "−{lost} lost",
  "funnel.overall": "Visit to paid",

  "channels.title": "Channels",
  "channels.channel": "Channel",
  "channels.conversion": "Conv.",
  "channels.cost": "Ad cost",
  "channels.budget": "{share} of the budget of {budget}",
  "channel.app": "App",
  "channel.web": "Web",
  "channel.mini_program": "Mini program",
  "channel.live": "Live stream",
  "channel.store": "Store",
  "channel.unknown": "Unknown",

  "regions.title": "Regions",
  "regions.more": "{count} more",

  "items.title": "Top items",
  "items.item": "Item",
  "items.units": "Paid",
  "items.stock": "Stock",
  "items.eta": "Lasts for",

  "stock.title": "Stock at risk",
  "stock.count": "{count} at risk",
  "stock.left": "Left",
  "stock.rate": "Per min",
  "stock.eta": "Lasts for",
  "stock.out": "Sold out",
  "stock.low": "Low",
  "stock.soon": "Soon",
  "stock.none": "No item is at risk",

  "alerts.title": "Alerts",
  "alerts.none": "No alert",
  "alerts.more": "{count} more",
  "alerts.quiet": "all quiet",
  "severity.critical": "critical",
  "severity.warning": "warning",
  "severity.info": "info",
  "state.pending": "pending",
  "state.firing": "firing",
  "state.acknowledged": "acknowledged",
  "state.resolved": "resolved",
  "rule.traffic_spike": "Traffic spike",
  "rule.traffic_drop": "Traffic drop",
  "rule.conversion_drop": "Conversion drop",
  "rule.gmv_behind_target": "GMV behind target",
  "rule.stock_low": "Stock low",
  "rule.stock_out": "Stock out",
  "rule.refund_anomaly": "Refund anomaly",
  "rule.refund_abuse": "Refund abuse",
  "rule.order_brushing": "Order brushing",
  "rule.coupon_abuse": "Coupon abuse",
  "rule.payment_failure": "Payment failures",
  "rule.budget_overrun": "Budget overrun",
  "rule.roi_below_floor": "ROI below floor",
  "rule.ingest_lag": "Ingest lag",
  "rule.data_silence": "Data silence",
  "rule.dead_letters": "Dead letters",

  "note.label": "About this data",
  "empty": "No data yet",
  "unit.day": "d",
  "unit.hour": "h",
  "unit.minute": "min",
  "unit.second": "s",
  "unit.now": "now",
} as const;

export type Key = keyof typeof en;

const zh: Readonly<Record<Key, string>> = {
  "app.title": "战情室",
  "app.loading": "正在连接战情室…",
  "app.noCampaign": "暂无活动，收到第一个事件后将在此显示。",
  "app.unknownCampaign": "活动“{id}”不存在，请在上方另选。",

  "header.picker": "活动",
  "header.auto": "最新进行中",
  "header.theme": "浅色 / 深色",
  "header.language": "EN",
  "header.languageHint": "Switch to English",
  "header.phase": "阶段",
  "header.noPhase": "无阶段",
  "header.elapsed": "已进行",
  "header.startsIn": "距开始",
  "header.endedAgo": "已结束",
  "header.phaseLeft": "距阶段结束",
  "header.left": "距结束",
  "header.ago": "{span}前",

  "fresh.connecting": "连接中",
  "fresh.fresh": "实时",
  "fresh.late": "数据延迟",
  "fresh.stale": "数据停更",
  "fresh.disconnected": "连接中断",
  "fresh.asOf": "截至",
  "fresh.watermark": "数据完整至",
  "fresh.behind": "落后 {seconds} 秒",
  "fresh.staleBanner": "已有 {span} 没有新数据，屏幕上是 {time} 的状态。",
  "fresh.downBanner": "与服务器断开已 {span}，屏幕上是 {time} 的状态。",

  "hero.gmv": "成交额 GMV",
  "hero.perSecond": "每秒成交额",
  "hero.paid": "支付金额",
  "hero.refunds": "退款金额",
  "hero.net": "净销售额",
  "hero.baseline": "对比基线 {id}",

  "phase.warm_up": "预热期",
  "phase.presale": "预售期",
  "phase.burst": "爆发期",
  "phase.long_tail": "长尾期",
  "phase.review": "复盘",

  "targets.title": "目标完成度",
  "targets.total": "全程",
  "targets.phase": "阶段：{phase}",
  "targets.none": "未设目标",
  "targets.elapsed": "时间进度 · 黄色：落后",
  "targets.of": "{value} / {target}",

  "metric.gmv": "成交额",
  "metric.paid_gmv": "支付金额",
  "metric.uv": "访客数 UV",
  "metric.pv": "浏览量 PV",
  "metric.orders_created": "下单数",
  "metric.orders_paid": "支付订单",
  "metric.conversion_rate": "转化率",
  "metric.aov": "客单价",
  "metric.roi": "投入产出比 ROI",
  "metric.refund_rate": "退款率",
  "metric.buyers": "支付买家",
  "metric.new_buyers": "新买家",
  "metric.coupons_redeemed": "核销券数",

  "curve.title": "每秒走势 · 近 10 分钟",
  "curve.gmv": "成交额 / 秒",
  "curve.created": "下单 / 秒",
  "curve.paid": "支付",
  "curve.events": "流量 / 秒",
  "curve.mean": "{seconds} 秒均值",
  "curve.legend": "线：{seconds} 秒均值 · 右侧阴影：数据仍在到达",
  "curve.none": "近 10 分钟没有事件",
  "curve.description": "近十分钟每秒的成交额、订单与流量",

  "funnel.title": "转化漏斗",
  "funnel.visit": "访问",
  "funnel.view_item": "浏览商品",
  "funnel.add_to_cart": "加购",
  "funnel.begin_checkout": "结算",
  "funnel.order_created": "下单",
  "funnel.order_paid": "支付",
  "funnel.lost": "流失 {lost}",
  "funnel.overall": "访问到支付",

  "channels.title": "渠道",
  "channels.channel": "渠道",
  "channels.conversion": "转化率",
  "channels.cost": "广告费",
  "channels.budget": "占预算 {budget} 的 {share}",
  "channel.app": "App",
  "channel.web": "网站",
  "channel.mini_program": "小程序",
  "channel.live": "直播",
  "channel.store": "门店",
  "channel.unknown": "未知",

  "regions.title": "地区",
  "regions.more": "其余 {count} 个",

  "items.title": "热销商品",
  "items.item": "商品",
  "items.units": "支付单",
  "items.stock": "库存",
  "items.eta": "预计售罄",

  "stock.title": "库存告警",
  "stock.count": "{count} 个有风险",
  "stock.left": "剩余",
  "stock.rate": "每分钟",
  "stock.eta": "预计售罄",
  "stock.out": "售罄",
  "stock.low": "偏低",
  "stock.soon": "将尽",
  "stock.none": "没有商品有断货风险",

  "alerts.title": "告警",
  "alerts.none": "没有告警",
  "alerts.more": "另有 {count} 条",
  "alerts.quiet": "一切平稳",
  "severity.critical": "严重",
  "severity.warning": "警告",
  "severity.info": "提示",
  "state.pending": "待确认",
  "state.firing": "触发中",
  "state.acknowledged": "已认领",
  "state.resolved": "已恢复",
  "rule.traffic_spike": "流量突增",
  "rule.traffic_drop": "流量骤降",
  "rule.conversion_drop": "转化下滑",
  "rule.gmv_behind_target": "成交额落后目标",
  "rule.stock_low": "库存偏低",
  "rule.stock_out": "商品售罄",
  "rule.refund_anomaly": "退款异常",
  "rule.refund_abuse": "退款滥用",
  "rule.order_brushing": "疑似刷单",
  "rule.coupon_abuse": "优惠券滥用",
  "rule.payment_failure": "支付失败",
  "rule.budget_overrun": "预算超支",
  "rule.roi_below_floor": "ROI 低于底线",
  "rule.ingest_lag": "采集延迟",
  "rule.data_silence": "数据中断",
  "rule.dead_letters": "拒收数据",

  "note.label": "数据说明",
  "empty": "暂无数据",
  "unit.day": "天",
  "unit.hour": "小时",
  "unit.minute": "分钟",
  "unit.second": "秒",
  "unit.now": "现在",
};

/** ISO 3166-2 codes of China's provinces by name; other codes are shown as they are. */
const PROVINCES: Readonly<Record<string, readonly [en: string, zh: string]>> = {
  "CN-11": ["Beijing", "北京"],
  "CN-12": ["Tianjin", "天津"],
  "CN-13": ["Hebei", "河北"],
  "CN-14": ["Shanxi", "山西"],
  "CN-15": ["Inner Mongolia", "内蒙古"],
  "CN-21": ["Liaoning", "辽宁"],
  "CN-22": ["Jilin", "吉林"],
  "CN-23": ["Heilongjiang", "黑龙江"],
  "CN-31": ["Shanghai", "上海"],
  "CN-32": ["Jiangsu", "江苏"],
  "CN-33": ["Zhejiang", "浙江"],
  "CN-34": ["Anhui", "安徽"],
  "CN-35": ["Fujian", "福建"],
  "CN-36": ["Jiangxi", "江西"],
  "CN-37": ["Shandong", "山东"],
  "CN-41": ["Henan", "河南"],
  "CN-42": ["Hubei", "湖北"],
  "CN-43": ["Hunan", "湖南"],
  "CN-44": ["Guangdong", "广东"],
  "CN-45": ["Guangxi", "广西"],
  "CN-46": ["Hainan", "海南"],
  "CN-50": ["Chongqing", "重庆"],
  "CN-51": ["Sichuan", "四川"],
  "CN-52": ["Guizhou", "贵州"],
  "CN-53": ["Yunnan", "云南"],
  "CN-54": ["Tibet", "西藏"],
  "CN-61": ["Shaanxi", "陕西"],
  "CN-62": ["Gansu", "甘肃"],
  "CN-63": ["Qinghai", "青海"],
  "CN-64": ["Ningxia", "宁夏"],
  "CN-65": ["Xinjiang", "新疆"],
  "CN-71": ["Taiwan", "台湾"],
  "CN-91": ["Hong Kong", "香港"],
  "CN-92": ["Macao", "澳门"],
};

export const MESSAGES: Readonly<Record<Locale, Readonly<Record<Key, string>>>> = { en, zh };

/** A text with its values put in. */
export function translate(locale: Locale, key: Key, values: Readonly<Record<string, string | number>> = {}): string {
  return MESSAGES[locale][key].replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

/** The text of `prefix.name` where the page has one, else the name itself: names come from events. */
export function translateName(locale: Locale, prefix: string, name: string): string {
  const key = `${prefix}.${name}`;
  return Object.hasOwn(MESSAGES[locale], key) ? MESSAGES[locale][key as Key] : name;
}

/** A phase's name; organisers write "warm-up" as well as "Warm up". */
export function phaseName(locale: Locale, name: string): string {
  const key = name.trim().toLowerCase().replace(/[\s-]+/g, "_");
  const translated = translateName(locale, "phase", key);
  return translated === key ? name : translated;
}

export function regionName(locale: Locale, code: string): string {
  if (code === "unknown") return translate(locale, "channel.unknown");
  const names = Object.hasOwn(PROVINCES, code) ? PROVINCES[code] : undefined;
  if (names === undefined) return code;
  return locale === "zh" ? names[1] : names[0];
}

/** The language to begin with: asked for in the address, chosen before, or the browser's. */
export function initialLocale(asked: string | null, stored: string | null, browser: string): Locale {
  for (const candidate of [asked, stored, browser]) {
    if (candidate?.toLowerCase().startsWith("zh")) return "zh";
    if (candidate?.toLowerCase().startsWith("en")) return "en";
  }
  return "en";
}
