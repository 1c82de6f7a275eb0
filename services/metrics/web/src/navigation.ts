import { lensQuery, parseLens, type Lens } from "./core/lens.ts";

/** The lens in the address bar. A step that one may want to take back becomes an entry of the history. */
export class Navigation {
  private current: Lens = parseLens(query());

  constructor(private readonly changed: (lens: Lens, before: Lens) => void) {
    window.addEventListener("popstate", () => this.take(parseLens(query())));
  }

  get lens(): Lens {
    return this.current;
  }

  /** Takes up another lens. `replace` leaves no entry in the history: for what changes by itself, such as a replay. */
  go(lens: Lens, replace = false): void {
    const url = new URL(window.location.href);
    // A colon may stand in a query as it is, and times are read by people.
    url.search = lensQuery(lens, url.searchParams).toString().replaceAll("%3A", ":");
    if (url.href !== window.location.href) {
      if (replace) window.history.replaceState(null, "", url);
      else window.history.pushState(null, "", url);
    }
    this.take(lens);
  }

  private take(lens: Lens): void {
    const before = this.current;
    this.current = lens;
    this.changed(lens, before);
  }
}

function query(): URLSearchParams {
  return new URLSearchParams(window.location.search);
}
