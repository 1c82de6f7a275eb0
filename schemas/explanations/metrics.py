"""How to read each metric of the catalogue, and what it is not."""

from __future__ import annotations

from schemas.explanations.text import Both, Explanation


def _of(read: str, read_zh: str, beware: str, beware_zh: str) -> Explanation:
    return Explanation(Both(read, read_zh), Both(beware, beware_zh))


EXPLANATIONS: dict[str, Explanation] = {
    "pv": _of(
        "How much is being looked at. It moves first when a push or a live stream lands.",
        "页面被浏览了多少次。推送或直播开始时，它最先变化。",
        "Not people: one visitor who looks at ten items gives ten. Carts and clicks on promotions are no page views.",
        "不是人数：一位访客看十件商品计十次。加购、点击活动位都不算浏览。",
    ),
    "uv": _of(
        "How many different people came. Distinct over exactly the period that you ask for.",
        "来了多少个不同的人，在所查询的整个时段内去重。",
        "Never add it up: people who came in two hours or by two channels count once in the whole, so the parts come "
        "to "
        "more than the total. Beyond some thousands it is an estimate within 0.5 %.",
        "不可相加：在两个小时或两个渠道都出现的人，总数里只算一次，所以各部分之和大于总数。人数上千后为估计值，"
        "误差在 0.5 % 以内。",
    ),
    "sessions": _of(
        "How many visits there were, as the site or app cuts them. Sessions over visitors says how often people "
        "return.",
        "访问了多少次，由网站或应用划分。会话数除以访客数即人均访问次数。",
        "Events without session_id count in no session. Not additive over time or channels.",
        "没有 session_id 的事件不计入。不可按时间或渠道相加。",
    ),
    "orders_created": _of(
        "How many orders were placed, paid or not. The first sign of demand.",
        "下了多少单，不论是否付款。最早的需求信号。",
        "Not sales: some are never paid, some are cancelled. By item an order counts once for each of its items, so "
        "items "
        "come to more than the total.",
        "不等于成交：有的不付款，有的被取消。按商品看时，一单对其中每件商品各计一次，所以各商品之和大于总数。",
    ),
    "orders_paid": _of(
        "How many orders were paid.",
        "有多少笔订单已支付。",
        "Orders paid in this period, whenever they were placed: an order placed before midnight and paid after counts "
        "after. Refunded orders stay counted.",
        "按支付时间计：零点前下单、零点后付款的，计在零点后。退款的订单仍然计入。",
    ),
    "orders_cancelled": _of(
        "How many orders were called off. A jump after a price change or a stock-out deserves a look.",
        "取消了多少单。改价或断货后突增，值得查看。",
        "Not refunds: no money goes back here.",
        "不是退款：这里没有钱退回。",
    ),
    "orders_refunded": _of(
        "How many refunds happened, each when it happened.",
        "发生了多少笔退款，按退款发生的时间计。",
        "Refunds and not orders: an order that is refunded in two parts counts twice. Most belong to purchases of "
        "earlier "
        "days.",
        "是退款笔数而非订单数：分两次退的计两笔。多数对应的是前几天的购买。",
    ),
    "payments_failed": _of(
        "How many attempts to pay failed. A jump means that a payment channel is in trouble.",
        "支付失败了多少次。突增说明支付通道出了问题。",
        "Attempts and not people: someone who tries three times counts three times, and may have paid in the end.",
        "是次数而非人数：同一人试三次计三次，最后可能已经付成功。",
    ),
    "gmv": _of(
        "The value of all orders placed: the number on the big screen.",
        "全部下单金额，即大屏上的数字。",
        "Not revenue: it holds orders that will never be paid, that are cancelled or given back, and brushing. The "
        "money "
        "ladder says what of it one can count on.",
        "不是收入：其中有不付款的、取消的、退货的，也有刷单。“金额阶梯”说明其中多少是实在的。",
    ),
    "paid_gmv": _of(
        "The value of orders paid: what came in.",
        "已支付订单的金额，即实际收到的钱。",
        "Refunds are not taken off; see net sales. An order counts when it is paid, so it can exceed GMV in a short "
        "period.",
        "未扣退款，见净销售额。按支付时间计，短时段内可能大于成交额。",
    ),
    "refund_amount": _of(
        "The money given back in this period.",
        "本时段退回的钱。",
        "Not a share of this period's sales: what is refunded today was mostly bought earlier.",
        "不是本时段销售额的一部分：今天退的大多是以前买的。",
    ),
    "net_sales": _of(
        "What is left of the money that came in after what went back. The basis of ROI.",
        "收到的钱减去退回的钱。投入产出比以此为基础。",
        "It can be negative in a short period, and it keeps falling after a campaign as refunds come in: judge a "
        "campaign "
        "by it some days later.",
        "短时段内可能为负；活动结束后随退款到来还会下降，过几天再以它评判活动。",
    ),
    "buyers": _of(
        "How many different people paid.",
        "有多少个不同的人付了款。",
        "Not orders, and not additive: someone who buys on two days is one buyer of the campaign.",
        "不是订单数，也不可相加：两天都买的人，在整个活动里只算一个买家。",
    ),
    "new_buyers": _of(
        "How many different people paid whose order says that they are new customers.",
        "订单标明为新客的不同付款人数。",
        "Who is new, the shop's order system says and not Warroom; buyers of orders that do not say count in buyers "
        "only.",
        "是否新客由商家的订单系统判定，而非 Warroom；订单未注明的只计入支付买家数。",
    ),
    "aov": _of(
        "What an order is worth on average. Falls when coupons bite or cheap items sell.",
        "平均每笔订单多少钱。优惠力度大或低价品热卖时下降。",
        "A mean: a few large orders lift it. Shipping is part of it where the shop puts it into the order's value.",
        "是平均数：几笔大单就能抬高。若商家把运费计入订单金额，则包含运费。",
    ),
    "conversion_rate": _of(
        "Of a hundred visitors, how many became buyers.",
        "每百位访客中有多少成为买家。",
        "Not the funnel: buyers and visitors are counted side by side, so buyers whose visits were not tracked can "
        "lift it "
        "above 1. In a short period buyers often visited before it.",
        "不是漏斗：买家与访客分别计数，访问未被追踪的买家可能使它超过 1。短时段内的买家往往更早就来过。",
    ),
    "payment_rate": _of(
        "How many orders are paid for each that is placed. A sudden fall points to the checkout or a payment channel.",
        "每下一单有多少单支付。骤降说明结算或支付通道有问题。",
        "Orders placed and orders paid in the same period, not the fate of the same orders: it lags in a rush and can "
        "exceed 1.",
        "是同一时段内的下单与支付，并非同一批订单的结局：高峰时滞后，也可能大于 1。",
    ),
    "refund_rate": _of(
        "Refunds for each paid order. Compare it between items to find the one that disappoints.",
        "每笔支付订单对应的退款笔数。在商品之间比较，可找出令人失望的那件。",
        "Today's refunds over today's sales, not the share of today's orders that will come back.",
        "是今天的退款比今天的销售，并非今天的订单将来退掉的比例。",
    ),
    "refund_amount_rate": _of(
        "Money given back for each unit of money paid.",
        "每收到一元，退回多少。",
        "The same reservation as for the refund rate; one large refund moves it.",
        "同退款率；一笔大额退款就会使它变动。",
    ),
    "coupons_issued": _of(
        "How many coupons were put on offer.",
        "发放了多少张券。",
        "Issued is not taken: see claimed.",
        "发放不等于领取，见领券数。",
    ),
    "coupons_claimed": _of(
        "How many coupons people took. Says whether an offer attracts.",
        "被领取了多少张。说明优惠是否吸引人。",
        "Claimed is not used; most are never redeemed.",
        "领取不等于使用，多数不会被核销。",
    ),
    "coupons_redeemed": _of(
        "How many coupons were used.",
        "使用了多少张券。",
        "Redemptions and not orders: one order may use several.",
        "是核销张数而非订单数：一单可用多张。",
    ),
    "coupon_redemption_rate": _of(
        "Coupons used for each that was claimed.",
        "每领一张券，用掉多少。",
        "Those claimed and those used in the same period, not the fate of the same coupons: late in a campaign it can "
        "exceed 1.",
        "是同一时段的领取与核销，并非同一批券的结局：活动后期可能大于 1。",
    ),
    "coupon_cost": _of(
        "The face value of the coupons that were used: what the offer costs.",
        "已核销券的面值，即优惠的成本。",
        "Only redeemed coupons cost; what was claimed and not used costs nothing. Other discounts on orders are not "
        "in it.",
        "只有核销的才算成本，领而未用的不算。订单上的其他折扣不在其内。",
    ),
    "ad_cost": _of(
        "What advertising cost, as the platforms report it.",
        "广告花费，以投放平台上报为准。",
        "Platforms report late and in lumps, so the last minutes look cheap: mind the watermark of spend.",
        "平台上报滞后且成批，最近几分钟看起来偏低：请看投放数据的完整时刻。",
    ),
    "impressions": _of(
        "How often ads were shown.",
        "广告展示了多少次。",
        "Showings and not people, counted by the platform.",
        "是次数而非人数，由平台计数。",
    ),
    "clicks": _of(
        "How often ads were clicked.",
        "广告被点击了多少次。",
        "Clicks on the platform, not visits in the shop: some never arrive, some are robots.",
        "是平台上的点击而非到店访问：有的没到达，有的是机器。",
    ),
    "cost": _of(
        "What the campaign costs: ads and used coupons.",
        "活动的营销成本：广告加已核销的券。",
        "Goods, shipping, people and platform fees are not in it.",
        "不含货品、运费、人工与平台费用。",
    ),
    "roas": _of(
        "Sales paid for each unit spent on ads. 3 means three of sales for one of spend.",
        "每花一元广告费带来的支付金额。3 即花一得三。",
        "Not profit, and all sales count and not those that ads brought: by channel, the attribution table credits "
        "orders.",
        "不是利润；计入全部销售而非仅广告带来的：按渠道归因见归因表。",
    ),
    "roi": _of(
        "Gross profit left for each unit of cost, after the cost. 0 breaks even, -0.2 loses a fifth of what was put "
        "in.",
        "每投入一元，扣除成本后剩下的毛利。0 为持平，-0.2 即亏掉投入的两成。",
        "As good as the gross margin that was declared for the campaign (1 if none was, which flatters). Falls for "
        "days as "
        "refunds come in.",
        "取决于活动申报的毛利率（未申报按 1 计，会偏高）。随退款到来会连降数日。",
    ),
    "cac": _of(
        "What a new buyer cost.",
        "获得一个新客买家的成本。",
        "All cost over new buyers, although it also brought old ones back: an upper bound of what a new one costs.",
        "用全部成本除以新客，而成本也带回了老客：是获客成本的上限。",
    ),
    "cpa": _of(
        "Ad spend for each paid order.",
        "每笔支付订单的广告花费。",
        "All orders and not those that ads brought; coupons are not in it.",
        "按全部订单而非仅广告带来的计算；不含优惠券。",
    ),
    "cpc": _of(
        "What a click on an ad costs.",
        "一次广告点击的价格。",
        "A price and no judgement: cheap clicks that buy nothing are dear.",
        "只是价格：便宜而不成交的点击其实很贵。",
    ),
    "ctr": _of(
        "Of a hundred showings of an ad, how many were clicked.",
        "广告每展示一百次，被点击多少次。",
        "Says how an ad attracts, not whether those who click buy.",
        "说明广告是否吸引人，不说明点击的人是否购买。",
    ),
}
"""By the metric's name."""
