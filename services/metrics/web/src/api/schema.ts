// Generated from schemas/generated/openapi.json by `npm run types`; not to be changed by hand.
export type paths = Record<string, never>;
export type webhooks = Record<string, never>;
export interface components {
  schemas: {
    /**
     * Acknowledgement
     * @description Who takes an alert on.
     */
    readonly Acknowledgement: {
      /**
       * By
       * @description who does; with a login it is who asks, whatever this says
       */
      readonly by?: string | null;
      /**
       * Note
       * @default
       */
      readonly note: string;
    };
    /** @description An alert with what happened to it, the first thing first. */
    readonly AlertDetail: {
      readonly id: string;
      readonly rule: string;
      /** @enum {string} */
      readonly severity: "info" | "warning" | "critical";
      /** @enum {string} */
      readonly state: "pending" | "firing" | "acknowledged" | "resolved";
      readonly campaign_id: string;
      readonly labels: {
        readonly [key: string]: string;
      };
      readonly value: number;
      readonly threshold: number;
      readonly summary: string;
      readonly runbook: string;
      /** Format: date-time */
      readonly starts_at: string;
      readonly ends_at: string | null;
      /** Format: date-time */
      readonly complete_until: string;
      readonly evidence: {
        readonly [key: string]: unknown;
      };
      readonly incident: string;
      readonly inhibited: boolean;
      readonly owner: string;
      readonly phase: string;
      readonly impact: components["schemas"]["Impact"] | null;
      readonly annotations: {
        readonly [key: string]: string;
      };
      readonly timeline: readonly components["schemas"]["Moment"][];
    };
    /** @description What became of a notice at one receiver; `detail` is its answer in short. */
    readonly Delivery: {
      readonly receiver: string;
      /** @enum {string} */
      readonly outcome: "waiting" | "delivered" | "undelivered";
      readonly at: string | null;
      readonly attempts: number | null;
      readonly detail: string | null;
    };
    /**
     * @description What an incident costs while it lasts: an estimate in the reporting currency, and what it rests on.
     *
     *   `basis_zh` is empty for alerts that were recorded before there was one.
     */
    readonly Impact: {
      readonly loss_per_minute: string;
      readonly basis: string;
      readonly basis_zh?: string;
    };
    /** @description As Alertmanager has them: `isRegex` (RE2, the whole value), and `isEqual` false for labels that do not match. */
    readonly Matcher: {
      readonly value: string;
      readonly isRegex?: boolean;
      readonly isEqual?: boolean;
    };
    /**
     * @description One line of a timeline. `delivery` is null where no receiver was to hear of it.
     *
     *   It is `waiting` until all have heard of it or have been given up, and then `delivered` only if all have.
     */
    readonly Moment: {
      /** Format: date-time */
      readonly at: string;
      /** @enum {string} */
      readonly state: "pending" | "firing" | "acknowledged" | "resolved";
      readonly by: string | null;
      readonly note: string | null;
      readonly delivery: ("waiting" | "delivered" | "undelivered") | null;
      readonly deliveries: readonly components["schemas"]["Delivery"][];
    };
    /**
     * NewSilence
     * @description Mutes alerts whose labels all match; `rule` and `severity` count as labels.
     *
     *   A matcher is the label's value, or says how to match it. With `repeats` it is a maintenance window.
     * @example {
     *     "by": "lin",
     *     "comment": "sold out on purpose",
     *     "duration": "2h",
     *     "matchers": {
     *     "item_id": "sku-1",
     *     "rule": "stock_out"
     *     }
     *   }
     */
    readonly NewSilence: {
      /** Matchers */
      readonly matchers: {
        readonly [key: string]: string | components["schemas"]["Matcher"];
      };
      readonly repeats?: components["schemas"]["Repeats"] | null;
      /** Starts At */
      readonly starts_at?: string | null;
      /** Ends At */
      readonly ends_at?: string | null;
      /** Duration */
      readonly duration?: string | null;
      /**
       * By
       * @description who mutes; with a login it is who asks, whatever this says
       */
      readonly by?: string | null;
      /**
       * Comment
       * @default
       */
      readonly comment: string;
    };
    /**
     * RedriveBody
     * @description Body of `POST /api/v1/dead-letters/redrive`.
     */
    readonly RedriveBody: {
      /**
       * Letters
       * @description `topic/partition/offset` of each letter; or else a selection
       * @default []
       */
      readonly letters: readonly string[];
      /**
       * Reason
       * @description select letters of this reason
       */
      readonly reason?: string | null;
      /**
       * Topic
       * @description select letters of this topic
       */
      readonly topic?: string | null;
      /**
       * From
       * @description select letters received since, RFC 3339
       */
      readonly from?: string | null;
      /**
       * To
       * @description select letters received before, RFC 3339
       */
      readonly to?: string | null;
      /**
       * All
       * @description select every letter
       * @default false
       */
      readonly all: boolean;
      /**
       * After
       * @description continue behind the `next` of the answer before
       */
      readonly after?: string | null;
      /**
       * Limit
       * @description letters of a selection in this call
       * @default 1000
       */
      readonly limit: number;
      /**
       * Value
       * @description for one letter: base64 of the record to send instead
       */
      readonly value?: string | null;
      /**
       * Set
       * @description for one letter: JSON text by path, such as items[0].price
       * @default {}
       */
      readonly set: {
        readonly [key: string]: string;
      };
      /**
       * Dry Run
       * @description only say what would be sent
       * @default false
       */
      readonly dry_run: boolean;
      /**
       * Force
       * @description send even what would be refused again
       * @default false
       */
      readonly force: boolean;
    };
    /** @description Hours that come again on these days; an end that is not later is on the next day. */
    readonly Repeats: {
      readonly hours: string;
      readonly days?: readonly ("mon" | "tue" | "wed" | "thu" | "fri" | "sat" | "sun")[];
      readonly timezone?: string;
    };
    /** @description A silence as it stands. */
    readonly Silence: {
      readonly id: string;
      readonly matchers: {
        readonly [key: string]: string | components["schemas"]["Matcher"];
      };
      /** Format: date-time */
      readonly starts_at: string;
      /** Format: date-time */
      readonly ends_at: string;
      /** @enum {string} */
      readonly state: "pending" | "active" | "expired";
      readonly by: string;
      readonly comment: string;
      /** Format: date-time */
      readonly created_at: string;
      readonly repeats: components["schemas"]["Repeats"] | null;
      readonly ended_by: string;
    };
    /** @description A page of what an incident brings with it. */
    readonly AcceptedPage: {
      readonly alert_id: string;
      readonly rule: string;
      readonly severity: string;
      readonly labels: {
        readonly [key: string]: string;
      };
      /** Format: date-time */
      readonly told_at: string;
      readonly summary: string;
      readonly consequence_of: components["schemas"]["Injected"];
    };
    /** @description One thing that somebody did or tried. */
    readonly ActivityRow: {
      readonly id: string;
      /** Format: date-time */
      readonly at: string;
      readonly actor: string;
      readonly subject: string;
      readonly role: string;
      readonly how: string;
      readonly action: string;
      readonly campaign_id: string;
      readonly target: string;
      readonly result: string;
      readonly detail: {
        readonly [key: string]: unknown;
      };
    };
    /**
     * @description One incident of one rule and one set of labels.
     *
     *   `incident` is the id of the alert that is its cause, or its own; `inhibited`: not paged because of that cause.
     *   `annotations` are the rule's texts as rendered, the Chinese ones under names that end in `_zh`.
     */
    readonly Alert: {
      readonly id: string;
      readonly rule: string;
      /** @enum {string} */
      readonly severity: "info" | "warning" | "critical";
      /** @enum {string} */
      readonly state: "pending" | "firing" | "acknowledged" | "resolved";
      readonly campaign_id: string;
      readonly labels: {
        readonly [key: string]: string;
      };
      readonly value: number;
      readonly threshold: number;
      readonly summary: string;
      readonly runbook: string;
      /** Format: date-time */
      readonly starts_at: string;
      readonly ends_at: string | null;
      /** Format: date-time */
      readonly complete_until: string;
      readonly evidence: {
        readonly [key: string]: unknown;
      };
      readonly incident: string;
      readonly inhibited: boolean;
      readonly owner: string;
      readonly phase: string;
      readonly impact: components["schemas"]["Impact"] | null;
      readonly annotations: {
        readonly [key: string]: string;
      };
    };
    /** @description Open alerts first, then those that ended last. */
    readonly AlertFeed: {
      readonly rows: readonly components["schemas"]["FeedAlert"][];
    };
    /** @description The same metrics where the campaign is compared with, over the same elapsed time. */
    readonly Baseline: {
      readonly kind: string;
      readonly campaign_id: string;
      /** Format: date-time */
      readonly from: string;
      /** Format: date-time */
      readonly to: string;
      readonly metrics: components["schemas"]["Metrics"];
      readonly difference: components["schemas"]["Metrics"];
      readonly ratio: components["schemas"]["Ratios"];
    };
    /** @description A value of the dimension that was asked for, with the metrics. */
    readonly BreakdownRow: {
      readonly channel?: string;
      readonly region?: string;
      readonly item_category?: string;
      readonly item_id?: string;
      readonly utm_source?: string;
      readonly device_category?: string;
      readonly phase?: string;
      readonly customer_type?: string;
      readonly pv?: number | null;
      readonly uv?: number | null;
      readonly sessions?: number | null;
      readonly orders_created?: number | null;
      readonly orders_paid?: number | null;
      readonly orders_cancelled?: number | null;
      readonly orders_refunded?: number | null;
      readonly payments_failed?: number | null;
      readonly gmv?: string | null;
      readonly paid_gmv?: string | null;
      readonly refund_amount?: string | null;
      readonly net_sales?: string | null;
      readonly buyers?: number | null;
      readonly new_buyers?: number | null;
      readonly aov?: number | null;
      readonly conversion_rate?: number | null;
      readonly payment_rate?: number | null;
      readonly refund_rate?: number | null;
      readonly refund_amount_rate?: number | null;
      readonly coupons_issued?: number | null;
      readonly coupons_claimed?: number | null;
      readonly coupons_redeemed?: number | null;
      readonly coupon_redemption_rate?: number | null;
      readonly coupon_cost?: string | null;
      readonly ad_cost?: string | null;
      readonly impressions?: number | null;
      readonly clicks?: number | null;
      readonly cost?: string | null;
      readonly roas?: number | null;
      readonly roi?: number | null;
      readonly cac?: number | null;
      readonly cpa?: number | null;
      readonly cpc?: number | null;
      readonly ctr?: number | null;
    };
    /**
     * @description A campaign as it is in force. One that was never declared begins with its first event and has no end.
     *
     *   `targets` and numbers stand as they were sent.
     */
    readonly CampaignRow: {
      readonly id: string;
      readonly campaign_id: string;
      readonly name: string;
      /** Format: date-time */
      readonly start: string;
      readonly end: string | null;
      readonly timezone: string;
      readonly gross_margin: number | string;
      readonly phases: readonly components["schemas"]["PhaseSpan"][];
      readonly targets: {
        readonly [key: string]: unknown;
      };
      readonly budgets: {
        readonly [key: string]: number | string;
      };
      readonly baseline_campaign_id: string | null;
      readonly note: string | null;
      readonly calendar: readonly components["schemas"]["PlannedEvent"][];
      readonly currency: string;
      readonly declared: boolean;
      readonly current_phase: string | null;
    };
    /** @description A metric's definition, `_zh` in Chinese. */
    readonly CatalogueRow: {
      readonly name: string;
      readonly title: string;
      readonly title_zh: string;
      readonly definition: string;
      readonly definition_zh: string;
      readonly explanation: string;
      readonly explanation_zh: string;
      readonly unit: components["schemas"]["Unit"];
      readonly formula: string;
      readonly dimensions: readonly string[];
    };
    /** @description A channel. */
    readonly ChannelRow: {
      readonly channel: string;
      readonly gmv: string | null;
      readonly paid_gmv: string | null;
      readonly uv: number | null;
      readonly buyers: number | null;
      readonly conversion_rate: number | null;
      readonly ad_cost: string | null;
      readonly roas: number | null;
      readonly roi: number | null;
    };
    /** @description What the minute that `at` lies in has come to: the overview ends where it begins. */
    readonly CurrentMinute: {
      readonly gmv: string | null;
      readonly paid_gmv: string | null;
      readonly orders_created: number | null;
      readonly orders_paid: number | null;
    };
    /** @description The whole campaign in at most 300 spans. */
    readonly Day: {
      /** Format: date-time */
      readonly as_of: string;
      readonly watermark: string | null;
      readonly watermarks: components["schemas"]["Watermarks"];
      readonly complete: boolean;
      readonly columns: readonly string[];
      readonly rows: readonly components["schemas"]["DayRow"][];
      readonly interval: string;
    };
    /** @description A span of the campaign: `gmv` is null where it is not known yet, `baseline_gmv` where there is no baseline. */
    readonly DayRow: {
      /** Format: date-time */
      readonly time: string;
      readonly gmv: string | null;
      readonly baseline_gmv: string | null;
    };
    /** @description Notices at the receiver against the alerts' own book. */
    readonly Deliveries: {
      readonly due: number;
      readonly received_once: number;
      readonly never_received: number;
      readonly received_again: number;
    };
    /** @description A page without an incident, and what went on at that time. */
    readonly FalsePage: {
      readonly alert_id: string;
      readonly rule: string;
      readonly severity: string;
      readonly labels: {
        readonly [key: string]: string;
      };
      /** Format: date-time */
      readonly told_at: string;
      readonly summary: string;
      readonly why: string;
      readonly during: readonly string[];
    };
    /** @description An alert as the stream tells it. `mute` says why nobody is told of it; empty when people are. */
    readonly FeedAlert: {
      readonly id: string;
      readonly rule: string;
      /** @enum {string} */
      readonly severity: "info" | "warning" | "critical";
      /** @enum {string} */
      readonly state: "pending" | "firing" | "acknowledged" | "resolved";
      readonly campaign_id: string;
      readonly labels: {
        readonly [key: string]: string;
      };
      readonly value: number;
      readonly threshold: number;
      readonly summary: string;
      readonly runbook: string;
      /** Format: date-time */
      readonly starts_at: string;
      readonly ends_at: string | null;
      /** Format: date-time */
      readonly complete_until: string;
      readonly evidence: {
        readonly [key: string]: unknown;
      };
      readonly incident: string;
      readonly owner: string;
      readonly phase: string;
      readonly impact: components["schemas"]["Impact"] | null;
      readonly annotations: {
        readonly [key: string]: string;
      };
      readonly mute: string;
      readonly acknowledged_by: string | null;
      readonly acknowledged_at: string | null;
    };
    /** @description A field at fault. */
    readonly FieldError: {
      readonly field: string;
      readonly detail: string;
    };
    /** @description An incident with the page that found it. */
    readonly FoundIncident: {
      readonly type: string;
      readonly rule: string;
      readonly campaign_id: string;
      readonly labels: {
        readonly [key: string]: string;
      };
      /** Format: date-time */
      readonly starts_at: string;
      /** Format: date-time */
      readonly ends_at: string;
      readonly details: {
        readonly [key: string]: unknown;
      };
      readonly consequences: readonly string[];
      readonly delay_seconds: number;
      readonly page: components["schemas"]["RehearsedPage"];
    };
    /** @description The same, for a value of the dimension that was asked for. */
    readonly FunnelByRow: {
      readonly step: string;
      readonly users: number | null;
      readonly step_conversion: number | null;
      readonly overall_conversion: number | null;
      readonly lost: number | null;
      readonly median_seconds: number | null;
      readonly channel?: string;
      readonly region?: string;
      readonly item_category?: string;
      readonly item_id?: string;
      readonly utm_source?: string;
      readonly device_category?: string;
      readonly phase?: string;
      readonly customer_type?: string;
    };
    /** @description A step of the funnel. */
    readonly FunnelRow: {
      readonly step: string;
      readonly users: number | null;
      readonly step_conversion: number | null;
      readonly overall_conversion: number | null;
      readonly lost: number | null;
      readonly median_seconds: number | null;
    };
    /** @description A role for campaigns: ids, with `*` for any characters. */
    readonly GrantRow: {
      readonly role: string;
      readonly campaigns: readonly string[];
    };
    /** @description Of a process that answers. */
    readonly Health: {
      readonly status: string;
    };
    /** @description An incident that was planted, or a decoy: what ought to be told, and when. */
    readonly Injected: {
      readonly type: string;
      readonly rule: string;
      readonly campaign_id: string;
      readonly labels: {
        readonly [key: string]: string;
      };
      /** Format: date-time */
      readonly starts_at: string;
      /** Format: date-time */
      readonly ends_at: string;
      readonly details: {
        readonly [key: string]: unknown;
      };
      readonly consequences: readonly string[];
    };
    /** @description The same with what was spent on it within the last hour, an estimate. */
    readonly InventoryRow: {
      readonly item_id: string;
      readonly item_category: string | null;
      readonly available: number | null;
      readonly safety_stock: number | null;
      readonly sell_rate_per_minute: number | null;
      readonly stockout_eta: string | null;
      readonly sell_rate_low: number | null;
      readonly sell_rate_high: number | null;
      readonly stockout_earliest: string | null;
      readonly stockout_latest: string | null;
      readonly at_risk: boolean | null;
      readonly ad_cost_last_hour: string | null;
    };
    /** @description An item of those that sell best; its stock is in `inventory`. */
    readonly ItemRow: {
      readonly item_id: string;
      readonly gmv: string | null;
      readonly orders_paid: number | null;
    };
    /** @description How incidents of one kind did. */
    readonly KindScore: {
      readonly injected: number;
      readonly found: number;
    };
    /** @description A rung of the ladder from what was placed to what is net of suspicion. */
    readonly LadderRow: {
      readonly rung: string;
      readonly amount: string | null;
      readonly orders: number | null;
      readonly share: number | null;
    };
    /** @description The same with the moment up to which it is whole. */
    readonly LadderUntilRow: {
      readonly rung: string;
      readonly amount: string | null;
      readonly orders: number | null;
      readonly share: number | null;
      readonly complete_until: string | null;
    };
    /** @description What a snapshot is of. */
    readonly Lens: {
      readonly filters: {
        readonly [key: string]: string | readonly string[];
      };
      readonly at: string | null;
    };
    readonly ActivityList: {
      readonly columns: readonly string[];
      readonly rows: readonly components["schemas"]["ActivityRow"][];
      readonly next_cursor: string | null;
    };
    readonly AlertList: {
      readonly columns: readonly string[];
      readonly rows: readonly components["schemas"]["Alert"][];
      readonly next_cursor: string | null;
    };
    readonly CampaignList: {
      readonly columns: readonly string[];
      readonly rows: readonly components["schemas"]["CampaignRow"][];
      readonly next_cursor: string | null;
    };
    readonly CatalogueList: {
      readonly columns: readonly string[];
      readonly rows: readonly components["schemas"]["CatalogueRow"][];
      readonly next_cursor: string | null;
    };
    readonly RehearsalList: {
      readonly columns: readonly string[];
      readonly rows: readonly components["schemas"]["RehearsalRow"][];
      readonly next_cursor: string | null;
    };
    readonly SilenceList: {
      readonly columns: readonly string[];
      readonly rows: readonly components["schemas"]["Silence"][];
      readonly next_cursor: string | null;
    };
    /** @description Every metric of the catalogue. */
    readonly Metrics: {
      readonly pv: number | null;
      readonly uv: number | null;
      readonly sessions: number | null;
      readonly orders_created: number | null;
      readonly orders_paid: number | null;
      readonly orders_cancelled: number | null;
      readonly orders_refunded: number | null;
      readonly payments_failed: number | null;
      readonly gmv: string | null;
      readonly paid_gmv: string | null;
      readonly refund_amount: string | null;
      readonly net_sales: string | null;
      readonly buyers: number | null;
      readonly new_buyers: number | null;
      readonly aov: number | null;
      readonly conversion_rate: number | null;
      readonly payment_rate: number | null;
      readonly refund_rate: number | null;
      readonly refund_amount_rate: number | null;
      readonly coupons_issued: number | null;
      readonly coupons_claimed: number | null;
      readonly coupons_redeemed: number | null;
      readonly coupon_redemption_rate: number | null;
      readonly coupon_cost: string | null;
      readonly ad_cost: string | null;
      readonly impressions: number | null;
      readonly clicks: number | null;
      readonly cost: string | null;
      readonly roas: number | null;
      readonly roi: number | null;
      readonly cac: number | null;
      readonly cpa: number | null;
      readonly cpc: number | null;
      readonly ctr: number | null;
    };
    /** @description An incident without a page. */
    readonly MissedIncident: {
      readonly type: string;
      readonly rule: string;
      readonly campaign_id: string;
      readonly labels: {
        readonly [key: string]: string;
      };
      /** Format: date-time */
      readonly starts_at: string;
      /** Format: date-time */
      readonly ends_at: string;
      readonly details: {
        readonly [key: string]: unknown;
      };
      readonly consequences: readonly string[];
      readonly note: string;
    };
    /** @description Every metric over a period. */
    readonly Overview: {
      /** Format: date-time */
      readonly as_of: string;
      readonly watermark: string | null;
      readonly watermarks: components["schemas"]["Watermarks"];
      readonly complete: boolean;
      readonly campaign_id: string;
      /** Format: date-time */
      readonly from: string;
      /** Format: date-time */
      readonly to: string;
      readonly metrics: components["schemas"]["Metrics"];
      readonly targets: components["schemas"]["TargetStates"] | null;
      readonly baseline: components["schemas"]["Baseline"] | null;
    };
    /** @description A target or a budget: how far it is and where it is going. */
    readonly PacingRow: {
      readonly metric: string;
      readonly scope: string;
      readonly phase: string | null;
      readonly channel: string | null;
      /** Format: date-time */
      readonly from: string;
      /** Format: date-time */
      readonly to: string;
      readonly state: string;
      readonly target: string | number;
      readonly value: string | number | null;
      readonly attained: number | null;
      readonly expected: string | number | null;
      readonly expected_from: string | null;
      readonly expected_per_minute: number | null;
      readonly ahead: string | number | null;
      readonly projected: string | number | null;
      readonly projected_low: string | number | null;
      readonly projected_high: string | number | null;
      readonly rate_per_minute: number | null;
      readonly needed_per_minute: number | null;
      readonly behind: boolean | null;
      readonly exhausted_at: string | null;
      readonly complete_until: string | null;
    };
    readonly ChannelPanel: {
      /** Format: date-time */
      readonly as_of: string;
      readonly watermark: string | null;
      readonly watermarks: components["schemas"]["Watermarks"];
      readonly complete: boolean;
      readonly columns: readonly string[];
      readonly rows: readonly components["schemas"]["ChannelRow"][];
    };
    readonly FunnelPanel: {
      /** Format: date-time */
      readonly as_of: string;
      readonly watermark: string | null;
      readonly watermarks: components["schemas"]["Watermarks"];
      readonly complete: boolean;
      readonly columns: readonly string[];
      readonly rows: readonly components["schemas"]["FunnelRow"][];
    };
    readonly ItemPanel: {
      /** Format: date-time */
      readonly as_of: string;
      readonly watermark: string | null;
      readonly watermarks: components["schemas"]["Watermarks"];
      readonly complete: boolean;
      readonly columns: readonly string[];
      readonly rows: readonly components["schemas"]["ItemRow"][];
    };
    readonly LadderPanel: {
      /** Format: date-time */
      readonly as_of: string;
      readonly watermark: string | null;
      readonly watermarks: components["schemas"]["Watermarks"];
      readonly complete: boolean;
      readonly columns: readonly string[];
      readonly rows: readonly components["schemas"]["LadderRow"][];
    };
    readonly PacingPanel: {
      /** Format: date-time */
      readonly as_of: string;
      readonly watermark: string | null;
      readonly watermarks: components["schemas"]["Watermarks"];
      readonly complete: boolean;
      readonly columns: readonly string[];
      readonly rows: readonly components["schemas"]["PacingRow"][];
    };
    readonly RegionPanel: {
      /** Format: date-time */
      readonly as_of: string;
      readonly watermark: string | null;
      readonly watermarks: components["schemas"]["Watermarks"];
      readonly complete: boolean;
      readonly columns: readonly string[];
      readonly rows: readonly components["schemas"]["RegionRow"][];
    };
    readonly StockPanel: {
      /** Format: date-time */
      readonly as_of: string;
      readonly watermark: string | null;
      readonly watermarks: components["schemas"]["Watermarks"];
      readonly complete: boolean;
      readonly columns: readonly string[];
      readonly rows: readonly components["schemas"]["StockRow"][];
    };
    /** @description A named span of a campaign, its end excluded. */
    readonly PhaseSpan: {
      readonly name: string;
      /** Format: date-time */
      readonly start: string;
      /** Format: date-time */
      readonly end: string;
    };
    /** @description Something that is planned for a moment or a span of a campaign. */
    readonly PlannedEvent: {
      readonly name: string;
      /** Format: date-time */
      readonly start: string;
      readonly end?: string | null;
    };
    /** @description An error as RFC 9457 has it; `field` is the first of the fields at fault. */
    readonly Problem: {
      readonly type: string;
      readonly title: string;
      readonly status: number;
      readonly detail: string;
      readonly errors?: readonly components["schemas"]["FieldError"][];
      readonly field?: string;
      readonly reasons?: {
        readonly [key: string]: string;
      };
    };
    /** @description The last ten minutes by second; a second without any event has no row. */
    readonly Pulse: {
      readonly columns: readonly string[];
      readonly rows: readonly components["schemas"]["PulseRow"][];
    };
    /** @description A second, null where the filters cannot be carried. */
    readonly PulseRow: {
      /** Format: date-time */
      readonly time: string;
      readonly events: number | null;
      readonly orders_created: number | null;
      readonly orders_paid: number | null;
      readonly gmv: string | null;
      readonly paid_gmv: string | null;
    };
    /** @description What each metric is to that of the baseline. */
    readonly Ratios: {
      readonly pv: number | null;
      readonly uv: number | null;
      readonly sessions: number | null;
      readonly orders_created: number | null;
      readonly orders_paid: number | null;
      readonly orders_cancelled: number | null;
      readonly orders_refunded: number | null;
      readonly payments_failed: number | null;
      readonly gmv: number | null;
      readonly paid_gmv: number | null;
      readonly refund_amount: number | null;
      readonly net_sales: number | null;
      readonly buyers: number | null;
      readonly new_buyers: number | null;
      readonly aov: number | null;
      readonly conversion_rate: number | null;
      readonly payment_rate: number | null;
      readonly refund_rate: number | null;
      readonly refund_amount_rate: number | null;
      readonly coupons_issued: number | null;
      readonly coupons_claimed: number | null;
      readonly coupons_redeemed: number | null;
      readonly coupon_redemption_rate: number | null;
      readonly coupon_cost: number | null;
      readonly ad_cost: number | null;
      readonly impressions: number | null;
      readonly clicks: number | null;
      readonly cost: number | null;
      readonly roas: number | null;
      readonly roi: number | null;
      readonly cac: number | null;
      readonly cpa: number | null;
      readonly cpc: number | null;
      readonly ctr: number | null;
    };
    /** @description A region. */
    readonly RegionRow: {
      readonly region: string;
      readonly gmv: string | null;
      readonly uv: number | null;
    };
    /** @description A scorecard in short. One that cannot be read has a `problem` and no figures. */
    readonly RehearsalRow: {
      readonly name: string;
      /** Format: date-time */
      readonly written_at: string;
      readonly start: string | null;
      readonly variant: string | null;
      readonly seed: number | null;
      readonly festivals: number | null;
      readonly hours: number | null;
      readonly events: number | null;
      readonly injected: number | null;
      readonly found: number | null;
      readonly found_share: number | null;
      readonly false_pages_per_festival: number | null;
      readonly delay_median_seconds: number | null;
      readonly delay_p90_seconds: number | null;
      /** @description why there are no figures */
      readonly problem: string | null;
    };
    /** @description What was rehearsed; the same seed is the same festival. */
    readonly Rehearsed: {
      readonly seed: number;
      readonly seeds: number;
      readonly hours: number;
      readonly variant: string;
      readonly events_per_second: number;
      /** Format: date-time */
      readonly start: string;
      readonly step_seconds: number;
    };
    /** @description What was told to people. */
    readonly RehearsedPage: {
      readonly alert_id: string;
      readonly rule: string;
      readonly severity: string;
      readonly labels: {
        readonly [key: string]: string;
      };
      /** Format: date-time */
      readonly told_at: string;
      readonly summary: string;
    };
    /**
     * @description A rule in force. `state` is that of its worst alert; durations are in seconds.
     *
     *   `severity` is the one outside of the phases that `severities` names; `runbook` is that of the gravest, `runbooks`
     *   has them by severity. `metric`, `filter`, `by`, `window_seconds` and `condition` are null or empty where its
     *   detector takes none. `source` is the file and line that it comes from.
     */
    readonly Rule: {
      readonly name: string;
      readonly detector: string;
      /** @enum {string} */
      readonly severity: "info" | "warning" | "critical";
      /** @enum {string} */
      readonly state: "inactive" | "pending" | "firing";
      readonly pending: number;
      readonly firing: number;
      readonly acknowledged: number;
      readonly for_seconds: number;
      readonly keep_firing_for_seconds: number;
      readonly summary: string;
      readonly runbook: string;
      readonly parameters: {
        readonly [key: string]: unknown;
      };
      readonly summary_zh: string;
      readonly runbook_zh: string;
      readonly severities: {
        readonly [key: string]: unknown;
      };
      readonly owner: string;
      readonly metric: string | null;
      readonly filter: {
        readonly [key: string]: readonly string[];
      };
      readonly by: string | null;
      readonly window_seconds: number | null;
      readonly condition: string | null;
      readonly labels: {
        readonly [key: string]: string;
      };
      readonly annotations: {
        readonly [key: string]: {
          readonly [key: string]: string;
        };
      };
      readonly runbooks: {
        readonly [key: string]: {
          readonly [key: string]: string;
        };
      };
      readonly source: string;
    };
    /** @description The rules in force. */
    readonly RuleList: {
      readonly columns: readonly string[];
      readonly rows: readonly components["schemas"]["Rule"][];
      readonly next_cursor: string | null;
      readonly file: components["schemas"]["RulesFile"];
    };
    /** @description How one rule did. */
    readonly RuleScore: {
      readonly injected: number;
      readonly found: number;
      readonly missed: number;
      readonly false: number;
      readonly accepted: number;
      readonly delay_median_seconds: number | null;
      readonly delay_p90_seconds: number | null;
      readonly delay_max_seconds: number | null;
    };
    /** @description How the rules file stands: whether it could be read when it was last tried. */
    readonly RulesFile: {
      readonly source: string;
      readonly successful: boolean;
      /** Format: date-time */
      readonly loaded_at: string;
      /** Format: date-time */
      readonly tried_at: string;
      readonly problems: readonly string[];
    };
    /** @description A rehearsal, marked. */
    readonly Scorecard: {
      readonly path: string;
      readonly rehearsed: components["schemas"]["Rehearsed"];
      readonly totals: components["schemas"]["ScorecardTotals"];
      readonly rules: {
        readonly [key: string]: components["schemas"]["RuleScore"];
      };
      readonly kinds: {
        readonly [key: string]: components["schemas"]["KindScore"];
      };
      readonly deliveries: components["schemas"]["Deliveries"];
      readonly found: readonly components["schemas"]["FoundIncident"][];
      readonly missed: readonly components["schemas"]["MissedIncident"][];
      readonly false: readonly components["schemas"]["FalsePage"][];
      readonly accepted: readonly components["schemas"]["AcceptedPage"][];
      readonly decoys: readonly components["schemas"]["Injected"][];
      readonly real_seconds_by_part: {
        readonly [key: string]: number;
      };
    };
    /** @description The figures that count; delays are of event time. */
    readonly ScorecardTotals: {
      readonly festivals: number;
      readonly events: number;
      readonly injected: number;
      readonly found: number;
      readonly found_share: number | null;
      readonly false_pages: number;
      readonly false_pages_per_festival: number;
      readonly delay_median_seconds: number | null;
      readonly delay_p90_seconds: number | null;
      readonly delay_max_seconds: number | null;
      readonly event_hours?: number;
      readonly real_seconds: number;
      readonly times_real_speed: number;
      readonly festival_hours_per_hour: number;
      readonly steps: number;
    };
    /** @description A span, with the dimension and the metrics that were asked for, and those of the baseline beside them. */
    readonly SeriesRow: {
      /** Format: date-time */
      readonly time: string;
      readonly channel?: string;
      readonly region?: string;
      readonly item_category?: string;
      readonly item_id?: string;
      readonly utm_source?: string;
      readonly device_category?: string;
      readonly phase?: string;
      readonly customer_type?: string;
      readonly pv?: number | null;
      readonly uv?: number | null;
      readonly sessions?: number | null;
      readonly orders_created?: number | null;
      readonly orders_paid?: number | null;
      readonly orders_cancelled?: number | null;
      readonly orders_refunded?: number | null;
      readonly payments_failed?: number | null;
      readonly gmv?: string | null;
      readonly paid_gmv?: string | null;
      readonly refund_amount?: string | null;
      readonly net_sales?: string | null;
      readonly buyers?: number | null;
      readonly new_buyers?: number | null;
      readonly aov?: number | null;
      readonly conversion_rate?: number | null;
      readonly payment_rate?: number | null;
      readonly refund_rate?: number | null;
      readonly refund_amount_rate?: number | null;
      readonly coupons_issued?: number | null;
      readonly coupons_claimed?: number | null;
      readonly coupons_redeemed?: number | null;
      readonly coupon_redemption_rate?: number | null;
      readonly coupon_cost?: string | null;
      readonly ad_cost?: string | null;
      readonly impressions?: number | null;
      readonly clicks?: number | null;
      readonly cost?: string | null;
      readonly roas?: number | null;
      readonly roi?: number | null;
      readonly cac?: number | null;
      readonly cpa?: number | null;
      readonly cpc?: number | null;
      readonly ctr?: number | null;
      readonly pv_baseline?: number | null;
      readonly uv_baseline?: number | null;
      readonly sessions_baseline?: number | null;
      readonly orders_created_baseline?: number | null;
      readonly orders_paid_baseline?: number | null;
      readonly orders_cancelled_baseline?: number | null;
      readonly orders_refunded_baseline?: number | null;
      readonly payments_failed_baseline?: number | null;
      readonly gmv_baseline?: string | null;
      readonly paid_gmv_baseline?: string | null;
      readonly refund_amount_baseline?: string | null;
      readonly net_sales_baseline?: string | null;
      readonly buyers_baseline?: number | null;
      readonly new_buyers_baseline?: number | null;
      readonly aov_baseline?: number | null;
      readonly conversion_rate_baseline?: number | null;
      readonly payment_rate_baseline?: number | null;
      readonly refund_rate_baseline?: number | null;
      readonly refund_amount_rate_baseline?: number | null;
      readonly coupons_issued_baseline?: number | null;
      readonly coupons_claimed_baseline?: number | null;
      readonly coupons_redeemed_baseline?: number | null;
      readonly coupon_redemption_rate_baseline?: number | null;
      readonly coupon_cost_baseline?: string | null;
      readonly ad_cost_baseline?: string | null;
      readonly impressions_baseline?: number | null;
      readonly clicks_baseline?: number | null;
      readonly cost_baseline?: string | null;
      readonly roas_baseline?: number | null;
      readonly roi_baseline?: number | null;
      readonly cac_baseline?: number | null;
      readonly cpa_baseline?: number | null;
      readonly cpc_baseline?: number | null;
      readonly ctr_baseline?: number | null;
      readonly pv_difference?: number | null;
      readonly uv_difference?: number | null;
      readonly sessions_difference?: number | null;
      readonly orders_created_difference?: number | null;
      readonly orders_paid_difference?: number | null;
      readonly orders_cancelled_difference?: number | null;
      readonly orders_refunded_difference?: number | null;
      readonly payments_failed_difference?: number | null;
      readonly gmv_difference?: string | null;
      readonly paid_gmv_difference?: string | null;
      readonly refund_amount_difference?: string | null;
      readonly net_sales_difference?: string | null;
      readonly buyers_difference?: number | null;
      readonly new_buyers_difference?: number | null;
      readonly aov_difference?: number | null;
      readonly conversion_rate_difference?: number | null;
      readonly payment_rate_difference?: number | null;
      readonly refund_rate_difference?: number | null;
      readonly refund_amount_rate_difference?: number | null;
      readonly coupons_issued_difference?: number | null;
      readonly coupons_claimed_difference?: number | null;
      readonly coupons_redeemed_difference?: number | null;
      readonly coupon_redemption_rate_difference?: number | null;
      readonly coupon_cost_difference?: string | null;
      readonly ad_cost_difference?: string | null;
      readonly impressions_difference?: number | null;
      readonly clicks_difference?: number | null;
      readonly cost_difference?: string | null;
      readonly roas_difference?: number | null;
      readonly roi_difference?: number | null;
      readonly cac_difference?: number | null;
      readonly cpa_difference?: number | null;
      readonly cpc_difference?: number | null;
      readonly ctr_difference?: number | null;
      readonly pv_ratio?: number | null;
      readonly uv_ratio?: number | null;
      readonly sessions_ratio?: number | null;
      readonly orders_created_ratio?: number | null;
      readonly orders_paid_ratio?: number | null;
      readonly orders_cancelled_ratio?: number | null;
      readonly orders_refunded_ratio?: number | null;
      readonly payments_failed_ratio?: number | null;
      readonly gmv_ratio?: number | null;
      readonly paid_gmv_ratio?: number | null;
      readonly refund_amount_ratio?: number | null;
      readonly net_sales_ratio?: number | null;
      readonly buyers_ratio?: number | null;
      readonly new_buyers_ratio?: number | null;
      readonly aov_ratio?: number | null;
      readonly conversion_rate_ratio?: number | null;
      readonly payment_rate_ratio?: number | null;
      readonly refund_rate_ratio?: number | null;
      readonly refund_amount_rate_ratio?: number | null;
      readonly coupons_issued_ratio?: number | null;
      readonly coupons_claimed_ratio?: number | null;
      readonly coupons_redeemed_ratio?: number | null;
      readonly coupon_redemption_rate_ratio?: number | null;
      readonly coupon_cost_ratio?: number | null;
      readonly ad_cost_ratio?: number | null;
      readonly impressions_ratio?: number | null;
      readonly clicks_ratio?: number | null;
      readonly cost_ratio?: number | null;
      readonly roas_ratio?: number | null;
      readonly roi_ratio?: number | null;
      readonly cac_ratio?: number | null;
      readonly cpa_ratio?: number | null;
      readonly cpc_ratio?: number | null;
      readonly ctr_ratio?: number | null;
    };
    /**
     * @description Who asks. Without `login` nobody is asked who they are; `session` is one that can be signed out of. `operates`:
     *   the campaigns whose alerts they may acknowledge and silence.
     */
    readonly SessionAnswer: {
      readonly login: boolean;
      readonly name: string | null;
      readonly role: string | null;
      readonly grants: readonly components["schemas"]["GrantRow"][];
      readonly session: boolean;
      readonly operates: readonly string[];
    };
    /** @description All that the wall shows, of one moment. */
    readonly Snapshot: {
      /** Format: date-time */
      readonly as_of: string;
      readonly watermark: string | null;
      readonly watermarks: components["schemas"]["Watermarks"];
      readonly complete: boolean;
      readonly campaign: components["schemas"]["CampaignRow"];
      readonly overview: components["schemas"]["Overview"];
      readonly alerts: components["schemas"]["AlertFeed"];
      readonly pulse: components["schemas"]["Pulse"];
      readonly channels: components["schemas"]["ChannelPanel"];
      readonly regions: components["schemas"]["RegionPanel"];
      readonly items: components["schemas"]["ItemPanel"];
      readonly inventory: components["schemas"]["StockPanel"];
      readonly funnel: components["schemas"]["FunnelPanel"];
      readonly pacing: components["schemas"]["PacingPanel"];
      readonly ladder: components["schemas"]["LadderPanel"];
      readonly day: components["schemas"]["Day"];
      readonly current_minute?: components["schemas"]["CurrentMinute"];
      readonly lens: components["schemas"]["Lens"];
    };
    /** @description An item's stock over all warehouses, how fast it sells, and when it is gone at that rate. */
    readonly StockRow: {
      readonly item_id: string;
      readonly item_category: string | null;
      readonly available: number | null;
      readonly safety_stock: number | null;
      readonly sell_rate_per_minute: number | null;
      readonly stockout_eta: string | null;
      readonly sell_rate_low: number | null;
      readonly sell_rate_high: number | null;
      readonly stockout_earliest: string | null;
      readonly stockout_latest: string | null;
      readonly at_risk: boolean | null;
    };
    readonly BreakdownTable: {
      /** Format: date-time */
      readonly as_of: string;
      readonly watermark: string | null;
      readonly watermarks: components["schemas"]["Watermarks"];
      readonly complete: boolean;
      readonly columns: readonly string[];
      readonly rows: readonly components["schemas"]["BreakdownRow"][];
      readonly next_cursor: string | null;
    };
    readonly FunnelByTable: {
      /** Format: date-time */
      readonly as_of: string;
      readonly watermark: string | null;
      readonly watermarks: components["schemas"]["Watermarks"];
      readonly complete: boolean;
      readonly columns: readonly string[];
      readonly rows: readonly components["schemas"]["FunnelByRow"][];
      readonly next_cursor: string | null;
    };
    readonly InventoryTable: {
      /** Format: date-time */
      readonly as_of: string;
      readonly watermark: string | null;
      readonly watermarks: components["schemas"]["Watermarks"];
      readonly complete: boolean;
      readonly columns: readonly string[];
      readonly rows: readonly components["schemas"]["InventoryRow"][];
      readonly next_cursor: string | null;
    };
    readonly LadderUntilTable: {
      /** Format: date-time */
      readonly as_of: string;
      readonly watermark: string | null;
      readonly watermarks: components["schemas"]["Watermarks"];
      readonly complete: boolean;
      readonly columns: readonly string[];
      readonly rows: readonly components["schemas"]["LadderUntilRow"][];
      readonly next_cursor: string | null;
    };
    readonly PacingTable: {
      /** Format: date-time */
      readonly as_of: string;
      readonly watermark: string | null;
      readonly watermarks: components["schemas"]["Watermarks"];
      readonly complete: boolean;
      readonly columns: readonly string[];
      readonly rows: readonly components["schemas"]["PacingRow"][];
      readonly next_cursor: string | null;
    };
    readonly SeriesTable: {
      /** Format: date-time */
      readonly as_of: string;
      readonly watermark: string | null;
      readonly watermarks: components["schemas"]["Watermarks"];
      readonly complete: boolean;
      readonly columns: readonly string[];
      readonly rows: readonly components["schemas"]["SeriesRow"][];
      readonly next_cursor: string | null;
    };
    /** @description `attained` is the share of the target that is reached. */
    readonly TargetState: {
      readonly target: string | number;
      readonly value: string | number | null;
      readonly attained: number | null;
    };
    /** @description By metric, over the campaign and within each phase. */
    readonly TargetStates: {
      readonly total: {
        readonly [key: string]: components["schemas"]["TargetState"];
      };
      readonly phases: {
        readonly [key: string]: {
          readonly [key: string]: components["schemas"]["TargetState"];
        };
      };
    };
    /**
     * Unit
     * @description What a number means and how it is written.
     * @enum {string}
     */
    readonly Unit: "count" | "money" | "ratio" | "money_ratio";
    /** @description By kind of event, the moment before which all is in; null where ingest has not said. */
    readonly Watermarks: {
      readonly traffic: string | null;
      readonly orders: string | null;
      readonly coupons: string | null;
      readonly inventory: string | null;
      readonly spend: string | null;
    };
  };
  responses: never;
  parameters: never;
  requestBodies: never;
  headers: never;
  pathItems: never;
}
export type Acknowledgement = components['schemas']['Acknowledgement'];
export type AlertDetail = components['schemas']['AlertDetail'];
export type Delivery = components['schemas']['Delivery'];
export type Impact = components['schemas']['Impact'];
export type Matcher = components['schemas']['Matcher'];
export type Moment = components['schemas']['Moment'];
export type NewSilence = components['schemas']['NewSilence'];
export type RedriveBody = components['schemas']['RedriveBody'];
export type Repeats = components['schemas']['Repeats'];
export type Silence = components['schemas']['Silence'];
export type AcceptedPage = components['schemas']['AcceptedPage'];
export type ActivityRow = components['schemas']['ActivityRow'];
export type Alert = components['schemas']['Alert'];
export type AlertFeed = components['schemas']['AlertFeed'];
export type Baseline = components['schemas']['Baseline'];
export type BreakdownRow = components['schemas']['BreakdownRow'];
export type CampaignRow = components['schemas']['CampaignRow'];
export type CatalogueRow = components['schemas']['CatalogueRow'];
export type ChannelRow = components['schemas']['ChannelRow'];
export type CurrentMinute = components['schemas']['CurrentMinute'];
export type Day = components['schemas']['Day'];
export type DayRow = components['schemas']['DayRow'];
export type Deliveries = components['schemas']['Deliveries'];
export type FalsePage = components['schemas']['FalsePage'];
export type FeedAlert = components['schemas']['FeedAlert'];
export type FieldError = components['schemas']['FieldError'];
export type FoundIncident = components['schemas']['FoundIncident'];
export type FunnelByRow = components['schemas']['FunnelByRow'];
export type FunnelRow = components['schemas']['FunnelRow'];
export type GrantRow = components['schemas']['GrantRow'];
export type Health = components['schemas']['Health'];
export type Injected = components['schemas']['Injected'];
export type InventoryRow = components['schemas']['InventoryRow'];
export type ItemRow = components['schemas']['ItemRow'];
export type KindScore = components['schemas']['KindScore'];
export type LadderRow = components['schemas']['LadderRow'];
export type LadderUntilRow = components['schemas']['LadderUntilRow'];
export type Lens = components['schemas']['Lens'];
export type ActivityList = components['schemas']['ActivityList'];
export type AlertList = components['schemas']['AlertList'];
export type CampaignList = components['schemas']['CampaignList'];
export type CatalogueList = components['schemas']['CatalogueList'];
export type RehearsalList = components['schemas']['RehearsalList'];
export type SilenceList = components['schemas']['SilenceList'];
export type Metrics = components['schemas']['Metrics'];
export type MissedIncident = components['schemas']['MissedIncident'];
export type Overview = components['schemas']['Overview'];
export type PacingRow = components['schemas']['PacingRow'];
export type ChannelPanel = components['schemas']['ChannelPanel'];
export type FunnelPanel = components['schemas']['FunnelPanel'];
export type ItemPanel = components['schemas']['ItemPanel'];
export type LadderPanel = components['schemas']['LadderPanel'];
export type PacingPanel = components['schemas']['PacingPanel'];
export type RegionPanel = components['schemas']['RegionPanel'];
export type StockPanel = components['schemas']['StockPanel'];
export type PhaseSpan = components['schemas']['PhaseSpan'];
export type PlannedEvent = components['schemas']['PlannedEvent'];
export type Problem = components['schemas']['Problem'];
export type Pulse = components['schemas']['Pulse'];
export type PulseRow = components['schemas']['PulseRow'];
export type Ratios = components['schemas']['Ratios'];
export type RegionRow = components['schemas']['RegionRow'];
export type RehearsalRow = components['schemas']['RehearsalRow'];
export type Rehearsed = components['schemas']['Rehearsed'];
export type RehearsedPage = components['schemas']['RehearsedPage'];
export type Rule = components['schemas']['Rule'];
export type RuleList = components['schemas']['RuleList'];
export type RuleScore = components['schemas']['RuleScore'];
export type RulesFile = components['schemas']['RulesFile'];
export type Scorecard = components['schemas']['Scorecard'];
export type ScorecardTotals = components['schemas']['ScorecardTotals'];
export type SeriesRow = components['schemas']['SeriesRow'];
export type SessionAnswer = components['schemas']['SessionAnswer'];
export type Snapshot = components['schemas']['Snapshot'];
export type StockRow = components['schemas']['StockRow'];
export type BreakdownTable = components['schemas']['BreakdownTable'];
export type FunnelByTable = components['schemas']['FunnelByTable'];
export type InventoryTable = components['schemas']['InventoryTable'];
export type LadderUntilTable = components['schemas']['LadderUntilTable'];
export type PacingTable = components['schemas']['PacingTable'];
export type SeriesTable = components['schemas']['SeriesTable'];
export type TargetState = components['schemas']['TargetState'];
export type TargetStates = components['schemas']['TargetStates'];
export type Unit = components['schemas']['Unit'];
export type Watermarks = components['schemas']['Watermarks'];
export type $defs = Record<string, never>;
export type operations = Record<string, never>;
