/**
 * What the screen looks at: which campaign, whose events, and which moment. It lives in the address, so that a link
 * shows a colleague the same view.
 */
export const DIMENSIONS = [
  "channel",
  "region",
  "item_id",
  "item_category",
  "utm_source",
  "device_category",
  "phase",
  "customer_type",
] as const;

export type Dimension = (typeof DIMENSIONS)[number];
export type Filters = Readonly<Partial<Record<Dimension, string>>>;

/** A span of time, epoch ms, that a link wants to have marked. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

export interface Lens {
  /** A campaign's id; null follows the newest that runs. */
  readonly campaign: string | null;
  readonly filters: Filters;
  /** The moment that is looked at, epoch ms; null is now. */
  readonly at: number | null;
  /** The campaign beside it. */
  readonly compare: string | null;
  readonly marked: Span | null;
  /** Figures are not shown: for filming, and for visitors. */
  readonly hidden: boolean;
}

export const PLAIN_LENS: Lens = { campaign: null, filters: {}, at: null, compare: null, marked: null, hidden: false };

/** Of a value in an address: longer ones name nothing that an event can carry. */
const LONGEST_VALUE = 256;

function moment(text: string | null): number | null {
  if (text === null) return null;
  const milliseconds = Date.parse(text);
  return Number.isNaN(milliseconds) ? null : milliseconds;
}

/** Reads a lens from a query; what cannot be read is left out, as a link that was cut must still open. */
export function parseLens(query: URLSearchParams): Lens {
  const filters: Partial<Record<Dimension, string>> = {};
  for (const dimension of DIMENSIONS) {
    const value = query.get(dimension);
    if (value !== null && value !== "" && value.length <= LONGEST_VALUE) filters[dimension] = value;
  }
  const from = moment(query.get("from"));
  const to = moment(query.get("to"));
  return {
    campaign: query.get("campaign") || null,
    filters,
    at: moment(query.get("at")),
    compare: query.get("compare") || null,
    marked: from !== null && to !== null && from < to ? { from, to } : null,
    hidden: query.get("hide") === "1",
  };
}

/** The query of a lens; parameters of others in `rest` are kept as they are. */
export function lensQuery(lens: Lens, rest: URLSearchParams = new URLSearchParams()): URLSearchParams {
  const query = new URLSearchParams(rest);
  const put = (name: string, value: string | null | undefined): void => {
    if (value === null || value === undefined) query.delete(name);
    else query.set(name, value);
  };
  const time = (at: number | undefined): string | null => (at === undefined ? null : new Date(at).toISOString());
  put("campaign", lens.campaign);
  for (const dimension of DIMENSIONS) put(dimension, lens.filters[dimension]);
  put("from", time(lens.marked?.from));
  put("to", time(lens.marked?.to));
  put("at", time(lens.at ?? undefined));
  put("compare", lens.compare);
  put("hide", lens.hidden ? "1" : null);
  return query;
}

/** The filters as parameters of a question to the server. */
export function filterQuery(filters: Filters): URLSearchParams {
  const query = new URLSearchParams();
  for (const dimension of DIMENSIONS) {
    const value = filters[dimension];
    if (value !== undefined) query.set(dimension, value);
  }
  return query;
}

/** The lens with one more filter, another value of it, or without it when it is set to just that. */
export function toggled(lens: Lens, dimension: Dimension, value: string): Lens {
  return lens.filters[dimension] === value ? without(lens, dimension) : { ...lens, filters: { ...lens.filters, [dimension]: value } };
}

/** The lens without one filter. */
export function without(lens: Lens, dimension: Dimension): Lens {
  const { [dimension]: _, ...filters } = lens.filters;
  return { ...lens, filters };
}

/** Whether two lenses need different answers of the server; how they are shown is no matter here. */
export function asksElse(a: Lens, b: Lens): boolean {
  return a.campaign !== b.campaign || a.at !== b.at || filterQuery(a.filters).toString() !== filterQuery(b.filters).toString();
}

/** Whether only a part of the campaign's events is looked at; `besides` names a dimension that does not count. */
export function isFiltered(filters: Filters, besides: Dimension | null = null): boolean {
  return DIMENSIONS.some((dimension) => dimension !== besides && filters[dimension] !== undefined);
}
