import { epoch } from "./time.ts";
import type { StockRow } from "../feed/types.ts";

/** From here on an item that sells is called at risk. */
export const RISK_HORIZON_MS = 60 * 60_000;

export type StockRisk = "out" | "low" | "soon" | "none";

/** Shapes as well as colours, so that no risk is told by colour alone. */
export const RISK_MARKS: Readonly<Record<StockRisk, string>> = { out: "✕", low: "▼", soon: "◔", none: "" };

/** What needs eyes first. */
export const RISK_ORDER: Readonly<Record<StockRisk, number>> = { out: 0, soon: 1, low: 2, none: 3 };

/** `out`: nothing left; `low`: under its safety stock; `soon`: sold out within the hour at the present rate. */
export function stockRisk(row: StockRow, now: number): StockRisk {
  if (row.available === null) return "none";
  if (row.available <= 0) return "out";
  if (row.safety_stock !== null && row.safety_stock !== undefined && row.available < row.safety_stock) return "low";
  const eta = epoch(row.stockout_eta);
  if (eta !== null && eta - now <= RISK_HORIZON_MS) return "soon";
  return "none";
}
