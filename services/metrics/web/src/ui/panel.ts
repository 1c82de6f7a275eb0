import { el, setText } from "./dom.ts";
import type { Board } from "../core/state.ts";
import type { Freshness } from "../core/freshness.ts";
import type { Locale } from "../core/format.ts";
import type { CatalogueRow } from "../feed/types.ts";
import type { Key } from "../i18n.ts";

/** All that a panel may look at to draw itself: nothing is read from the outside. */
export interface View {
  readonly board: Board;
  readonly freshness: Freshness;
  /** The server's time, epoch ms. */
  readonly now: number;
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
}

/** The box around a panel: a heading with room for a remark, and a body. */
export function frame(name: string): Frame {
  const heading = el("h2", "panel-title");
  const aside = el("div", "panel-aside");
  const body = el("div", "panel-body");
  const element = el("section", `panel panel-${name}`, el("header", "panel-head", heading, aside), body);
  element.dataset["panel"] = name;
  return { element, body, aside, title: (text) => setText(heading, text) };
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
