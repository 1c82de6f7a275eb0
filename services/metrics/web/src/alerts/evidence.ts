/** The curve that decided an alert; the same reading of its evidence as in services/alerts/pages/points.py. */
export interface Curve {
  /** [epoch ms, value], in order. */
  readonly points: readonly (readonly [number, number])[];
  /** What is normal, in the unit of the points. */
  readonly reference: number | null;
  readonly unit: string | null;
}

const LATEST_S = 2 ** 33;
const LARGEST = 1e15;
const HOUR_S = 3600;
const REFERENCES = ["normal_rate", "expected_rate", "reference"] as const;

function isNumber(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value) && Math.abs(value) < LARGEST;
}

/** Null where the evidence holds no curve. Evidence by the second leaves empty seconds out: they are zero. */
export function curveOf(evidence: Readonly<Record<string, unknown>> | null | undefined): Curve | null {
  const given = evidence?.["points"];
  if (!Array.isArray(given)) return null;
  const found = new Map<number, number>();
  for (const point of given as readonly unknown[]) {
    if (!Array.isArray(point) || point.length !== 2) continue;
    const [at, value] = point as readonly unknown[];
    if (!Number.isInteger(at) || !isNumber(at) || at < 0 || at >= LATEST_S || !isNumber(value)) continue;
    found.set(at, (found.get(at) ?? 0) + value);
  }
  const moments = [...found.keys()].sort((a, b) => a - b);
  const [first] = moments;
  const last = moments.at(-1);
  if (first === undefined || last === undefined) return null;
  const step = Math.min(...moments.slice(1).map((at, index) => at - (moments[index] ?? at)));
  const filled = step === 1 && last - first < HOUR_S ? Array.from({ length: last - first + 1 }, (_, n) => first + n) : moments;
  const reference = REFERENCES.map((name) => evidence?.[name]).find(isNumber) ?? null;
  const unit = evidence?.["unit"];
  return {
    points: filled.map((at) => [at * 1000, found.get(at) ?? 0] as const),
    reference,
    unit: typeof unit === "string" ? unit : null,
  };
}
