import { upsertAlert } from "./alerts.ts";
import { mergePulse, type PulsePoint } from "./pulse.ts";
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
  return {
    campaign: snapshot.campaign ?? board.campaign,
    overview: snapshot.overview ?? board.overview,
    pulse: snapshot.pulse === undefined ? board.pulse : mergePulse(board.pulse, snapshot.pulse.rows),
    funnel: snapshot.funnel?.rows ?? board.funnel,
    channels: snapshot.channels?.rows ?? board.channels,
    regions: snapshot.regions?.rows ?? board.regions,
    items: snapshot.items?.rows ?? board.items,
    inventory: snapshot.inventory?.rows ?? board.inventory,
    alerts: snapshot.alerts?.rows ?? board.alerts,
  };
}

/** The board after an alert; alerts of other campaigns are not this board's. */
export function applyAlert(board: Board, alert: Alert): Board {
  const campaign = board.campaign?.id;
  if (campaign !== undefined && alert.campaign_id && alert.campaign_id !== campaign) return board;
  return { ...board, alerts: upsertAlert(board.alerts ?? [], alert) };
}
