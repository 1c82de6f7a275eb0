import { upsertAlert } from "./alerts.ts";
import { completePulse, mergePulse, type PulsePoint } from "./pulse.ts";
import { epoch } from "./time.ts";
import type { About } from "./trust.ts";
import type {
  Alert,
  Campaign,
  ChannelRow,
  Day,
  FunnelRow,
  ItemRow,
  LadderRow,
  Overview,
  PacingRow,
  RegionRow,
  Snapshot,
  StockRow,
} from "../feed/types.ts";

/** The tables of a snapshot that say for themselves how fresh and how complete they are. */
export const TABLES = ["overview", "channels", "regions", "items", "inventory", "funnel", "pacing", "ladder", "day"] as const;

export type TableName = (typeof TABLES)[number];

/** Everything the page knows of one campaign. A null table was never sent, an empty one is known to be empty. */
export interface Board {
  readonly campaign: Campaign | null;
  readonly overview: Overview | null;
  /** How fresh and complete the newest snapshot is: through filters its overview may be older. */
  readonly screen: About | null;
  /** The seconds as they were sent. */
  readonly received: readonly PulsePoint[];
  /** The seconds as they are shown, with the quiet ones. */
  readonly pulse: readonly PulsePoint[];
  readonly funnel: readonly FunnelRow[] | null;
  readonly channels: readonly ChannelRow[] | null;
  readonly regions: readonly RegionRow[] | null;
  readonly items: readonly ItemRow[] | null;
  readonly inventory: readonly StockRow[] | null;
  readonly alerts: readonly Alert[] | null;
  readonly pacing: readonly PacingRow[] | null;
  readonly ladder: readonly LadderRow[] | null;
  readonly day: Day | null;
  readonly abouts: Readonly<Partial<Record<TableName, About>>>;
}

export const EMPTY_BOARD: Board = {
  campaign: null,
  overview: null,
  screen: null,
  received: [],
  pulse: [],
  funnel: null,
  channels: null,
  regions: null,
  items: null,
  inventory: null,
  alerts: null,
  pacing: null,
  ladder: null,
  day: null,
  abouts: {},
};

/** The board after a snapshot: what the snapshot leaves out stays as it was. */
export function applySnapshot(board: Board, snapshot: Snapshot): Board {
  const campaign = snapshot.campaign ?? board.campaign;
  const overview = snapshot.overview ?? board.overview;
  const asOf = epoch(overview?.as_of);
  const received = asOf === null ? board.received : mergePulse(board.received, snapshot.pulse?.rows ?? [], asOf);
  return {
    campaign,
    overview,
    screen: snapshot.as_of === undefined ? overview : { as_of: snapshot.as_of, watermark: snapshot.watermark, complete: snapshot.complete },
    received,
    pulse:
      asOf === null
        ? []
        : completePulse(received, {
            asOf,
            watermark: epoch(overview?.watermark),
            campaignStart: epoch(campaign?.start),
          }),
    funnel: snapshot.funnel?.rows ?? board.funnel,
    channels: snapshot.channels?.rows ?? board.channels,
    regions: snapshot.regions?.rows ?? board.regions,
    items: snapshot.items?.rows ?? board.items,
    inventory: snapshot.inventory?.rows ?? board.inventory,
    alerts: snapshot.alerts?.rows ?? board.alerts,
    pacing: snapshot.pacing?.rows ?? board.pacing,
    ladder: snapshot.ladder?.rows ?? board.ladder,
    day: snapshot.day ?? board.day,
    abouts: aboutsOf(board.abouts, snapshot),
  };
}

function aboutsOf(known: Board["abouts"], snapshot: Snapshot): Board["abouts"] {
  const abouts: Partial<Record<TableName, About>> = { ...known };
  for (const name of TABLES) {
    const table: About | undefined = snapshot[name];
    if (table !== undefined) abouts[name] = { as_of: table.as_of, watermark: table.watermark, complete: table.complete };
  }
  return abouts;
}

/** The campaign of alerts that concern them all, such as those about the pipeline. */
const EVERY_CAMPAIGN = "*";

/** The board after an alert; alerts of another campaign are not this board's. */
export function applyAlert(board: Board, alert: Alert): Board {
  const own = [undefined, null, "", EVERY_CAMPAIGN, board.campaign?.id].includes(alert.campaign_id);
  if (!own && board.campaign !== null) return board;
  return { ...board, alerts: upsertAlert(board.alerts ?? [], alert) };
}
