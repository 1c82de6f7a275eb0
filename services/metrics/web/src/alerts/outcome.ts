/** Why something was not done. `field` and `detail` are the server's own words. */
export interface Failure {
  readonly why: "refused" | "notFiring" | "unknown" | "noService" | "unavailable" | "noAnswer" | "failed";
  readonly field?: string;
  readonly detail?: string;
}

export type Outcome<Answer> = { readonly ok: true; readonly answer: Answer } | { readonly ok: false; readonly failure: Failure };

interface Problem {
  readonly title?: unknown;
  readonly detail?: unknown;
  readonly field?: unknown;
}

function text(value: unknown): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}

/** Reads a refusal: a problem document (RFC 9457), or whatever a proxy says in its place. */
export function failureOf(status: number, body: unknown): Failure {
  const problem = (typeof body === "object" && body !== null ? body : {}) as Problem;
  const detail = text(problem.detail);
  const field = text(problem.field);
  const said = { ...(detail === null ? {} : { detail }), ...(field === null ? {} : { field }) };
  if (status === 409) return { why: "notFiring", ...said };
  if (status === 422 || status === 400) return { why: "refused", ...said };
  // A path that is not routed here says no more than "Not Found"; an alert that is not known is named.
  if (status === 404) return { why: detail === null || /^not found$/i.test(detail) ? "noService" : "unknown", ...said };
  if (status === 405 || status === 501) return { why: "noService" };
  if (status === 502 || status === 503 || status === 504) return { why: "unavailable", ...said };
  return { why: "failed", detail: detail ?? `HTTP ${status}` };
}
