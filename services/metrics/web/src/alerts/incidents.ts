import { orderAlerts } from "../core/alerts.ts";
import type { Severity } from "../feed/types.ts";
import type { FeedAlert } from "./model.ts";

/** Alerts of one cause: the one that stands for them, and those that are folded under it. */
export interface Incident {
  readonly lead: FeedAlert;
  readonly members: readonly FeedAlert[];
}

const GRAVITY: Readonly<Record<Severity, number>> = { critical: 2, warning: 1, info: 0 };

function isOpen(alert: FeedAlert): boolean {
  return alert.state === "firing" || alert.state === "acknowledged";
}

/**
 * Whether one may be folded under another: nothing open under what is over, nothing graver under what is milder, and
 * nothing that fires and is paged for itself under what somebody has taken on already.
 */
function mayStandFor(lead: FeedAlert, other: FeedAlert): boolean {
  if (!isOpen(other)) return true;
  if (!isOpen(lead) || GRAVITY[lead.severity] < GRAVITY[other.severity]) return false;
  return lead.state === "firing" || other.state !== "firing" || (other.mute ?? "") !== "";
}

/** What needs eyes first, each incident once: its cause where that can stand for the others, else the gravest of them. */
export function groupIncidents(alerts: readonly FeedAlert[]): readonly Incident[] {
  const ordered = orderAlerts(alerts) as readonly FeedAlert[];
  const groups = new Map<string, FeedAlert[]>();
  for (const alert of ordered) {
    const name = alert.incident || alert.id;
    groups.set(name, [...(groups.get(name) ?? []), alert]);
  }
  const incidents: Incident[] = [];
  for (const [name, group] of groups) {
    const cause = group.find(({ id }) => id === name);
    let left = group;
    while (left.length > 0) {
      const [first] = left;
      if (first === undefined) break;
      const lead = cause !== undefined && left.includes(cause) && (isOpen(cause) || !isOpen(first)) ? cause : first;
      const members = left.filter((other) => other !== lead && mayStandFor(lead, other));
      incidents.push({ lead, members });
      left = left.filter((other) => other !== lead && !members.includes(other));
    }
  }
  const leads = orderAlerts(incidents.map(({ lead }) => lead));
  const place = new Map(leads.map(({ id }, index) => [id, index]));
  return incidents.sort((a, b) => (place.get(a.lead.id) ?? 0) - (place.get(b.lead.id) ?? 0));
}
