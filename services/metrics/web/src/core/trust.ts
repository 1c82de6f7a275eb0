import { LATE_AFTER_MS, watermarkLag } from "./freshness.ts";
import { epoch } from "./time.ts";

/** What a table of a snapshot says of itself. */
export interface About {
  readonly as_of?: string | null | undefined;
  readonly watermark?: string | null | undefined;
  readonly complete?: boolean | null | undefined;
}

/**
 *   unknown   the table never came
 *   well      as fresh and as complete as the rest of the screen
 *   old       asked for longer ago than the rest
 *   behind    events that belong into it are late, those of the rest are not
 */
export type Trust = "unknown" | "well" | "old" | "behind";

export interface PanelTrust {
  readonly trust: Trust;
  /** Both epoch ms. */
  readonly asOf: number | null;
  readonly watermark: number | null;
  /** How much older than the screen; how far its events are behind: ms. */
  readonly ageMs: number;
  readonly lagMs: number | null;
  readonly complete: boolean;
}

/** Panels are asked every few seconds, the heavy ones less often: an age of this is nothing unusual. */
export const OLD_PANEL_MS = 20_000;

/**
 * How fresh and how complete one panel is beside the whole screen, whose own state the header tells: a panel raises
 * its voice only where it is worse than that. `end` is the campaign's, after which nothing more is due.
 */
export function panelTrust(about: About | null | undefined, screen: About | null | undefined, end: number | null): PanelTrust {
  const asOf = epoch(about?.as_of);
  const watermark = epoch(about?.watermark);
  const complete = about?.complete === true;
  if (asOf === null) return { trust: "unknown", asOf, watermark, ageMs: 0, lagMs: null, complete };
  const screenAt = epoch(screen?.as_of) ?? asOf;
  const ageMs = Math.max(0, screenAt - asOf);
  const lagMs = watermarkLag(asOf, watermark, end);
  const screenLag = watermarkLag(screenAt, epoch(screen?.watermark), end);
  const late = !complete && (lagMs === null || lagMs >= LATE_AFTER_MS);
  const screenLate = screenLag === null || screenLag >= LATE_AFTER_MS;
  const trust = ageMs >= OLD_PANEL_MS ? "old" : late && !screenLate ? "behind" : "well";
  return { trust, asOf, watermark, ageMs, lagMs, complete };
}
