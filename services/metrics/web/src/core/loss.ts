import type { FunnelRow } from "../feed/types.ts";

export interface Step {
  readonly step: string;
  readonly users: number | null;
  /** Users of the step before; null at the first. */
  readonly before: number | null;
  readonly lost: number | null;
  readonly kept: number | null;
  /** The step that loses the most users. */
  readonly largest: boolean;
}

/** The funnel with what each step lost; the largest loss, counted in users, is the one to look at first. */
export function stepsOf(rows: readonly FunnelRow[]): readonly Step[] {
  const losses = rows.map((row, index) => (index === 0 ? 0 : Math.max(0, (rows[index - 1]?.users ?? 0) - (row.users ?? 0))));
  const most = Math.max(0, ...losses);
  const largest = most === 0 ? -1 : losses.indexOf(most);
  return rows.map((row, index) => ({
    step: row.step,
    users: row.users,
    before: index === 0 ? null : (rows[index - 1]?.users ?? null),
    lost: index === 0 ? null : (losses[index] ?? 0),
    kept: index === 0 ? null : row.step_conversion,
    largest: index === largest,
  }));
}
