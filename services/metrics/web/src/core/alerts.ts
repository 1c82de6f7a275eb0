import { epoch } from "./time.ts";
import type { Alert, AlertState, Severity } from "../feed/types.ts";

const SEVERITY: Readonly<Record<Severity, number>> = { critical: 0, warning: 1, info: 2 };
const STATE: Readonly<Record<AlertState, number>> = { firing: 0, acknowledged: 1, pending: 2, resolved: 3 };

/** What needs eyes first: firing before acknowledged, pending and resolved, then the graver, then the newer. */
export function orderAlerts(alerts: readonly Alert[]): readonly Alert[] {
  return [...alerts].sort(
    (a, b) =>
      STATE[a.state] - STATE[b.state] ||
      (a.state === "resolved" ? 0 : SEVERITY[a.severity] - SEVERITY[b.severity]) ||
      lastChange(b) - lastChange(a) ||
      (a.id < b.id ? -1 : 1),
  );
}

/** Puts one alert as it happened into the list, in the place of its earlier form. */
export function upsertAlert(alerts: readonly Alert[], alert: Alert): readonly Alert[] {
  return [alert, ...alerts.filter(({ id }) => id !== alert.id)];
}

export function countFiring(alerts: readonly Alert[]): Readonly<Record<Severity, number>> {
  const counts: Record<Severity, number> = { critical: 0, warning: 0, info: 0 };
  for (const alert of alerts) if (alert.state === "firing") counts[alert.severity] += 1;
  return counts;
}

/** When the alert began or, once resolved, ended: epoch ms. */
export function lastChange(alert: Alert): number {
  return (alert.state === "resolved" ? epoch(alert.ends_at) : null) ?? epoch(alert.starts_at) ?? 0;
}

/** The labels worth showing: the campaign is the one on the screen anyway. */
export function shownLabels(alert: Alert): readonly (readonly [string, string])[] {
  return Object.entries(alert.labels ?? {}).filter(([name]) => name !== "campaign_id");
}
