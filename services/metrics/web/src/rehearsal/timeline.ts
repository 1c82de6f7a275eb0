import { translateName } from "../i18n.ts";
import type { Locale } from "../core/format.ts";
import { minuteTime } from "../core/time.ts";
import { ticksOf } from "../core/timeline.ts";
import { el } from "../ui/dom.ts";
import { PIPELINE, type Item } from "./card.ts";
import { groupsOf, moved, showing, stepped, wholeOf, zoomed, NARROWEST_MS, type Group, type Placed, type Window } from "./layout.ts";
import { drawMark, hatching } from "./marks.ts";
import { svg } from "./svg.ts";
import { delayText, word } from "../words/rehearsal.ts";

const GUTTER = 12;
const LANE = 1.75;
const HEADING = 2;
const AXIS = 2;
/** The width of a mark, in rem: two in a lane keep as much between them. */
const APART = 1.5;

export interface Look {
  readonly locale: Locale;
  readonly zone: string;
}

/** Incidents and pages along time, by festival and rule. One stop for the tab key; arrows lead from item to item. */
export class Timeline {
  readonly element = el("div", "timeline");
  private readonly canvas = svg("svg", { role: "group" });
  private items: readonly Item[] = [];
  private groups: readonly Group[] = [];
  private whole: Window = { from: 0, to: 1 };
  private window: Window = this.whole;
  private look: Look = { locale: "en", zone: "UTC" };
  private chosen: string | null = null;

  constructor(private readonly onChoose: (item: Item | null) => void) {
    this.element.append(this.canvas);
    this.canvas.addEventListener("click", (event) => this.choose(idOf(event.target)));
    this.canvas.addEventListener("focusin", (event) => this.choose(idOf(event.target) ?? this.chosen));
    this.element.addEventListener("wheel", (event) => this.onWheel(event), { passive: false });
    this.onDrag();
    new ResizeObserver(() => this.draw()).observe(this.element);
  }

  show(items: readonly Item[]): void {
    this.items = items;
    this.whole = wholeOf(items, NARROWEST_MS);
    this.window = this.whole;
    this.chosen = null;
    this.draw();
  }

  speak(look: Look): void {
    this.look = look;
    this.draw();
  }

  /** Closer by `factor`, around the chosen item where it is in view. */
  zoom(factor: number): void {
    const { from, to } = this.window;
    const item = this.items.find(({ id }) => id === this.chosen);
    const at = item !== undefined && item.from >= from && item.from <= to ? item.from : (from + to) / 2;
    this.turn(zoomed(this.window, this.whole, factor, at));
  }

  all(): void {
    this.turn(this.whole);
  }

  /** What a key does here; false where nothing. */
  key(key: string): boolean {
    if (key === "+" || key === "=") this.zoom(1.6);
    else if (key === "-") this.zoom(1 / 1.6);
    else if (key === "0") this.all();
    else if (key.startsWith("Arrow")) this.go(stepped(this.groups, this.chosen, key));
    else return false;
    return true;
  }

  choose(id: string | null): void {
    if (id === this.chosen) return;
    this.chosen = id;
    for (const each of this.canvas.querySelectorAll(".item")) each.classList.toggle("chosen", each.getAttribute("data-id") === id);
    this.onChoose(this.items.find((item) => item.id === id) ?? null);
  }

  private go(id: string | null): void {
    const item = this.items.find((each) => each.id === id);
    if (item === undefined) return;
    this.turn(showing(this.window, this.whole, item.from));
    this.choose(item.id);
    const drawn = this.canvas.querySelector<SVGElement>(`[data-id="${item.id}"]`);
    drawn?.focus();
    drawn?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  private turn(window: Window): void {
    this.window = window;
    this.draw();
  }

  private onWheel(event: WheelEvent): void {
    // Without the key the wheel scrolls, as everywhere.
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    const { left, width } = this.canvas.getBoundingClientRect();
    const gutter = GUTTER * this.unit();
    const share = Math.min(1, Math.max(0, (event.clientX - left - gutter) / (width - gutter)));
    const at = this.window.from + share * (this.window.to - this.window.from);
    this.turn(zoomed(this.window, this.whole, event.deltaY < 0 ? 1.25 : 0.8, at));
  }

  private onDrag(): void {
    let last: number | null = null;
    this.canvas.addEventListener("pointerdown", (event) => (last = event.button === 0 ? event.clientX : null));
    this.canvas.addEventListener("pointermove", (event) => {
      if (last === null || event.buttons !== 1) return;
      const wide = this.element.clientWidth - (GUTTER + 3) * this.unit();
      this.turn(moved(this.window, this.whole, (last - event.clientX) / wide));
      last = event.clientX;
    });
  }

  private unit(): number {
    return parseFloat(getComputedStyle(document.documentElement).fontSize);
  }

  private draw(): void {
    const unit = this.unit();
    // Without the padding, a rem on either side.
    const width = this.element.clientWidth - 2 * unit;
    const gutter = GUTTER * unit;
    const plot = width - gutter - unit;
    if (plot <= 0) return;
    const focused = this.canvas.contains(document.activeElement);
    const { from, to } = this.window;
    const x = (at: number): number => gutter + ((at - from) / (to - from)) * plot;
    this.groups = groupsOf(this.items, ((to - from) / plot) * APART * unit);
    const parts: SVGElement[] = [hatching(unit)];
    const clip = svg("clipPath", { id: "plot" }, svg("rect", { x: gutter - unit, y: 0, width: plot + 2 * unit, height: 1e5 }));
    const marks = svg("g", { "clip-path": "url(#plot)" });
    let y = AXIS * unit;
    for (const { festival, rows } of this.groups) {
      parts.push(svg("text", { x: 0, y: y + 1.35 * unit, class: "festival" }, this.festival(festival)));
      y += HEADING * unit;
      for (const row of rows) {
        const height = row.lanes * LANE * unit;
        const label = row.rule === "" ? word(this.look.locale, "decoys") : translateName(this.look.locale, "rule", row.rule);
        parts.push(
          svg("line", { x1: 0, x2: width, y1: y + height, y2: y + height, class: "rule-line" }),
          svg("text", { x: 0.8 * unit, y: y + 1.2 * unit, class: "rule" }, label),
        );
        marks.append(...row.placed.map((placed) => this.drawItem(placed, x, y, unit)));
        y += height;
      }
    }
    for (const tick of ticksOf({ from, to, open: false }, this.look.zone, Math.max(2, Math.floor(plot / (7 * unit))))) {
      parts.push(
        svg("line", { x1: x(tick.at), x2: x(tick.at), y1: 1.6 * unit, y2: y, class: "tick" }),
        svg("text", { x: x(tick.at), y: 1.2 * unit, class: "tick-label", "text-anchor": "middle" }, tick.label),
      );
    }
    this.canvas.setAttribute("width", String(width));
    this.canvas.setAttribute("height", String(Math.ceil(y + 0.5 * unit)));
    this.canvas.setAttribute("aria-label", word(this.look.locale, "timeline"));
    this.canvas.replaceChildren(clip, ...parts, marks);
    if (focused) this.canvas.querySelector<SVGElement>('[tabindex="0"]')?.focus();
  }

  private drawItem({ item, lane }: Placed, x: (at: number) => number, top: number, unit: number): SVGElement {
    const y = top + (lane + 0.5) * LANE * unit;
    const box = { from: x(item.from), to: x(item.to), told: item.told === null ? null : x(item.told), y, unit };
    const stop = this.chosen ?? this.groups[0]?.rows[0]?.placed[0]?.item.id;
    const left = Math.min(box.from, box.told ?? box.from) - 0.8 * unit;
    const right = Math.max(box.to, box.told ?? box.to) + 0.8 * unit;
    return svg(
      "g",
      {
        class: item.id === this.chosen ? "item chosen" : "item",
        "data-id": item.id,
        "data-mark": item.mark,
        role: "button",
        tabindex: item.id === stop ? 0 : -1,
        "aria-label": this.describe(item),
      },
      svg("title", {}, this.describe(item)),
      svg("rect", { x: left, y: y - 0.85 * unit, width: right - left, height: 1.7 * unit, rx: 0.4 * unit, class: "halo" }),
      ...drawMark(item.mark, box),
    );
  }

  /** What a screen reader says of an item. */
  private describe(item: Item): string {
    const { locale, zone } = this.look;
    const parts = [
      word(locale, `mark.${item.mark}`),
      item.rule === "" ? item.kind : translateName(locale, "rule", item.rule),
      ...Object.values(item.labels),
      this.festival(item.festival),
      minuteTime(item.from, zone),
      ...(item.delaySeconds === null ? [] : [`${word(locale, "delay")} ${delayText(locale, item.delaySeconds)}`]),
    ];
    return parts.join(", ");
  }

  private festival(festival: string): string {
    return festival === PIPELINE ? word(this.look.locale, "pipeline") : festival;
  }
}

function idOf(target: EventTarget | null): string | null {
  return target instanceof Element ? (target.closest(".item")?.getAttribute("data-id") ?? null) : null;
}
