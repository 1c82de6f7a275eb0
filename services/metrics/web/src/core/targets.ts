import type { Metrics, TargetState, TargetStates, Value } from "../feed/types.ts";

export interface TargetRow {
  readonly metric: string;
  readonly target: Value;
  readonly value: Value;
  /** Value over target; may exceed 1. */
  readonly attained: number | null;
}

/** Money first, then orders, then people: what a war room asks for in that order. */
const ORDER = ["gmv", "paid_gmv", "net_sales", "orders_paid", "orders_created", "buyers", "uv", "new_buyers"];

function rank(metric: string): number {
  const index = ORDER.indexOf(metric);
  return index < 0 ? ORDER.length : index;
}

function rowsOf(targets: Readonly<Record<string, TargetState>> | undefined, metrics: Metrics): readonly TargetRow[] {
  return Object.entries(targets ?? {})
    .map(([metric, state]) => ({
      metric,
      target: state.target,
      value: state.value ?? metrics[metric] ?? null,
      attained: state.attained,
    }))
    .sort((a, b) => rank(a.metric) - rank(b.metric));
}

/** Targets of the whole campaign, whose values are the overview's own. */
export function totalTargets(targets: TargetStates | null | undefined, metrics: Metrics): readonly TargetRow[] {
  return rowsOf(targets?.total, metrics);
}

/** Targets of one phase; a value the server does not give is unknown, as the overview's is of the whole. */
export function phaseTargets(targets: TargetStates | null | undefined, phase: string | null): readonly TargetRow[] {
  return phase === null ? [] : rowsOf(targets?.phases?.[phase], {});
}
