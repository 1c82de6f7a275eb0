import { el, setText } from "./dom.ts";
import { TrustBadge } from "./trust.ts";
import type { Figures } from "../core/figures.ts";
import type { Dimension, Lens, Span } from "../core/lens.ts";
import type { Speed } from "../core/player.ts";
import type { Board, TableName } from "../core/state.ts";
import type { Freshness } from "../core/freshness.ts";
import type { Locale } from "../core/format.ts";
import type { Alert, CatalogueRow } from "../feed/types.ts";
import type { Key } from "../i18n.ts";
import type { Replaying } from "../past.ts";

/** What a panel may ask the page to do. */
export interface Actions {
  /** Another campaign, or null to follow the newest that runs. */
  choose(campaign: string | null): void;
  /** Shows only the events with this value, or all again when they are the only ones already. */
  filter(dimension: Dimension, value: string): void;
  /** Takes one filter away, or all. */
  unfilter(dimension: Dimension | null): void;
  /** Looks at a moment, epoch ms, or at now. */
  at(moment: number | null): void;
  /** Holds the live picture at this moment; plays or pauses a replay. */
  playOrHold(): void;
  /** How many times faster than it happened a replay plays. */
  speed(speed: Speed): void;
  compare(campaign: string | null): void;
  mark(span: Span | null): void;
  hide(hidden: boolean): void;
  /** Brings an alert to the front. */
  openAlert(id: string): void;
}

export interface LivePicture {
  readonly board: Board;
  /** Every alert of the campaign that is known to have begun. */
  readonly begun: readonly Alert[];
  /** The server's time, epoch ms. */
  readonly now: number;
}

/** All that a panel may look at to draw itself: nothing is read from the outside. */
export interface View {
  readonly board: Board;
  readonly lens: Lens;
  readonly act: Actions;
  /** Writes every figure: what it hides must not be written otherwise. */
  readonly fmt: Figures;
  readonly freshness: Freshness;
  /** The server's time, epoch ms; in a replay the moment that is shown. */
  readonly now: number;
  /** The replay that is shown; null when the picture is live. */
  readonly replay: Replaying | null;
  /** How fast a replay plays, or would. */
  readonly speed: Speed;
  /** The live picture, which goes on unseen behind a replay. */
  readonly live: LivePicture;
  /** Age of the newest snapshot, ms. */
  readonly ageMs: number | null;
  readonly lagMs: number | null;
  readonly locale: Locale;
  /** The campaign's timezone. */
  readonly zone: string;
  /** Sign of the reporting currency, possibly empty. */
  readonly sign: string;
  readonly catalogue: ReadonlyMap<string, CatalogueRow>;
  /** Motion is unwanted, or nobody is looking. */
  readonly still: boolean;
  t(key: Key, values?: Readonly<Record<string, string | number>>): string;
  /** A metric's name in the language of the page. */
  metric(name: string): string;
}

export interface Panel {
  readonly element: HTMLElement;
  /** Draws the view; called on every snapshot and on every change of language, size or theme. */
  update(view: View): void;
}

export interface Frame {
  readonly element: HTMLElement;
  readonly body: HTMLElement;
  readonly aside: HTMLElement;
  title(text: string): void;
  /** Says how fresh and how complete the table behind the panel is. */
  trust(view: View, table: TableName): void;
}

/** The box around a panel: a heading with room for a remark, and a body. */
export function frame(name: string): Frame {
  const heading = el("h2", "panel-title");
  const aside = el("div", "panel-aside");
  const body = el("div", "panel-body");
  const badge = new TrustBadge();
  const element = el("section", `panel panel-${name}`, el("header", "panel-head", heading, badge.element, aside), body);
  element.dataset["panel"] = name;
  return {
    element,
    body,
    aside,
    title: (text) => setText(heading, text),
    trust: (view, table) => badge.update(view, table),
  };
}

/** A line that stands in a panel while it has nothing to show. */
export function emptyLine(): HTMLElement {
  const line = el("p", "panel-empty");
  line.hidden = true;
  return line;
}

export function showEmpty(line: HTMLElement, text: string | null): void {
  line.hidden = text === null;
  if (text !== null) setText(line, text);
}
