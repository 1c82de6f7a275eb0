import { upsertAlert } from "./alerts.ts";
import { completePulse, mergePulse, type PulsePoint } from "./pulse.ts";
import { epoch } from "./time.ts";
import type {
  Alert,
  Campaign,
  ChannelRow,
  FunnelRow,
  ItemRow,
  Overview,
  RegionRow,
  Snapshot,
  StockRow,
} from "../feed/types.ts";

/** Everything the page knows of one campaign. A null table was never sent, an empty one is known to be empty. */
export interface Board {
  readonly campaign: Campaign | null;
  readonly overview: Overview | null;
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
}

export const EMPTY_BOARD: Board = {
  campaign: null,
  overview: null,
  received: [],
  pulse: [],
  funnel: null,
  channels: null,
  regions: null,
  items: null,
  inventory: null,
  alerts: null,
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
  };
}

/** The campaign of alerts that concern them all, such as those about the pipeline. */
const EVERY_CAMPAIGN = "*";

/** The board after an alert; alerts of another campaign are not this board's. */
export function applyAlert(board: Board, alert: Alert): Board {
  const own = [undefined, null, "", EVERY_CAMPAIGN, board.campaign?.id].includes(alert.campaign_id);
  if (!own && board.campaign !== null) return board;
  return { ...board, alerts: upsertAlert(board.alerts ?? [], alert) };
}
