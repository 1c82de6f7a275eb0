import type { View } from "./panel.ts";
import { NONE } from "../core/format.ts";
import { epoch } from "../core/time.ts";
import type { StockRow } from "../feed/types.ts";

/** A span in its largest unit: "45 s", "12 min", "3 h", "2 d". */
export function roughSpan(view: View, milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  const gap = view.locale === "zh" ? "" : " ";
  if (seconds < 60) return `${seconds}${gap}${view.t("unit.second")}`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}${gap}${view.t("unit.minute")}`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)}${gap}${view.t("unit.hour")}`;
  return `${Math.floor(seconds / 86_400)}${gap}${view.t("unit.day")}`;
}

/** How long an item's stock lasts at the present rate; a dash while it does not sell. */
export function timeLeft(view: View, stock: StockRow): string {
  if (stock.available !== null && stock.available <= 0) return view.t("stock.out");
  const eta = epoch(stock.stockout_eta);
  return eta === null ? NONE : roughSpan(view, eta - view.now);
}
