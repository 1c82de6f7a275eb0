import { Preferences } from "../preferences.ts";
import { el, setText } from "../ui/dom.ts";
import { itemsOf, MARKS, parseCard, type Item, type RehearsalRow, type Scorecard } from "./card.ts";
import { Details } from "./details.ts";
import { fetchCard, fetchCards } from "./feed.ts";
import { drawMark, hatching } from "./marks.ts";
import { tableOf, totalsOf } from "./summary.ts";
import { svg } from "./svg.ts";
import { Timeline, type Look } from "./timeline.ts";
import { word, type Word } from "../words/rehearsal.ts";

/** Larger than any scorecard: a wrong file is not to freeze the page. */
const MOST_BYTES = 32 << 20;
const LOCAL = "";

/** `/rehearsal`: a scorecard, injected against told. */
export class RehearsalPage {
  private readonly preferences = new Preferences();
  private readonly zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  private readonly title = el("h1");
  private readonly home = el("a", "home");
  private readonly picker = el("select");
  private readonly file = el("input", "visually-hidden");
  private readonly open = el("label", "button");
  private readonly language = el("button", "button");
  private readonly theme = el("button", "button", "◐");
  private readonly message = el("p", "message");
  private readonly totals = el("section", "totals");
  private readonly legend = el("ul", "legend");
  private readonly tools = el("div", "tools");
  private readonly table = el("section", "by-rule");
  private readonly board = el("main", "board");
  private readonly timeline = new Timeline((item) => this.choose(item));
  private readonly details = new Details();
  private cards: readonly RehearsalRow[] = [];
  private card: Scorecard | null = null;
  private chosen: Item | null = null;
  private localName: string | null = null;
  private say: [Word, Record<string, string>] | null = null;

  constructor(private readonly root: HTMLElement) {}

  /** Builds the page and shows the scorecard that the address names, else the newest. */
  async start(): Promise<void> {
    this.build();
    this.render();
    try {
      this.cards = await fetchCards();
    } catch {
      this.say = ["unanswered", {}];
    }
    const asked = new URLSearchParams(window.location.search).get("card");
    const first = asked ?? this.cards.find(({ problem }) => problem === null)?.name;
    if (first !== undefined) await this.load(first);
    this.render();
    document.body.dataset["rendered"] = "true";
  }

  private build(): void {
    this.home.href = "./";
    this.file.type = "file";
    this.file.accept = ".json,application/json";
    this.open.append(el("span"), this.file);
    const bar = el("header", "top", this.home, this.title, this.picker, this.open, el("span", "space"), this.language, this.theme);
    const strip = el("div", "strip", this.legend, this.tools);
    this.board.append(this.message, this.totals, strip, this.timeline.element, this.details.element, this.table);
    this.root.append(bar, this.board);
    this.picker.addEventListener("change", () => void this.load(this.picker.value).then(() => this.render()));
    this.file.addEventListener("change", () => void this.read(this.file.files?.[0]));
    this.language.addEventListener("click", () => {
      this.preferences.locale = this.preferences.locale === "en" ? "zh" : "en";
      this.render();
    });
    this.theme.addEventListener("click", () => this.preferences.toggleTheme());
    const tools: readonly [string, Word, () => void][] = [
      ["+", "zoomIn", () => this.timeline.zoom(1.6)],
      ["−", "zoomOut", () => this.timeline.zoom(1 / 1.6)],
      ["⤢", "whole", () => this.timeline.all()],
    ];
    for (const [sign, name, act] of tools) {
      const button = el("button", "button", sign);
      button.dataset["word"] = name;
      button.addEventListener("click", act);
      this.tools.append(button);
    }
    window.addEventListener("dragover", (event) => event.preventDefault());
    window.addEventListener("drop", (event) => {
      event.preventDefault();
      void this.read(event.dataTransfer?.files[0]);
    });
    window.addEventListener("keydown", (event) => this.onKey(event));
  }

  private onKey(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey || this.card === null) return;
    if (event.target instanceof HTMLElement && event.target.closest("select, input")) return;
    if (event.key === "Escape") this.timeline.choose(null);
    else if (this.timeline.key(event.key)) event.preventDefault();
  }

  private async load(name: string): Promise<void> {
    if (name === LOCAL) return;
    try {
      this.take(await fetchCard(name), null);
      const url = new URL(window.location.href);
      url.searchParams.set("card", name);
      window.history.replaceState(null, "", url);
    } catch (error) {
      this.refuse(name, error);
    }
  }

  /** A file of this computer: it stays here. */
  private async read(file: File | undefined): Promise<void> {
    if (file === undefined) return;
    try {
      if (file.size > MOST_BYTES) throw new Error(`> ${MOST_BYTES >> 20} MiB`);
      this.take(parseCard(await file.text()), file.name);
    } catch (error) {
      this.refuse(file.name, error);
    }
    this.file.value = "";
    this.render();
  }

  private take(card: Scorecard, localName: string | null): void {
    const items = itemsOf(card);
    this.card = card;
    this.localName = localName;
    this.chosen = null;
    this.say = null;
    this.timeline.show(items);
  }

  private refuse(name: string, error: unknown): void {
    this.say = ["unreadable", { name, reason: error instanceof Error ? error.message : "" }];
  }

  private choose(item: Item | null): void {
    this.chosen = item;
    this.details.show(item, this.look());
  }

  private look(): Look {
    return { locale: this.preferences.locale, zone: this.zone };
  }

  private render(): void {
    const { locale } = this.preferences;
    this.preferences.applyTheme();
    document.documentElement.lang = locale === "zh" ? "zh-CN" : "en";
    document.title = `${word(locale, "title")} · Warroom`;
    setText(this.title, word(locale, "title"));
    setText(this.home, `← ${word(locale, "wall")}`);
    setText(this.open.firstElementChild as Element, word(locale, "open"));
    setText(this.language, word(locale, "language"));
    this.language.setAttribute("aria-label", word(locale, "language"));
    this.theme.setAttribute("aria-label", word(locale, "theme"));
    this.picker.setAttribute("aria-label", word(locale, "choose"));
    for (const button of this.tools.querySelectorAll("button")) {
      const name = word(locale, button.dataset["word"] as Word);
      button.setAttribute("aria-label", name);
      button.title = name;
    }
    this.renderPicker();
    const empty = this.card === null && this.say === null ? (this.cards.length === 0 ? "none" : "drop") : null;
    const said = this.say ?? (empty === null ? null : ([empty, {}] as const));
    setText(this.message, said === null ? "" : word(locale, said[0], said[1]));
    this.message.hidden = said === null;
    this.board.classList.toggle("empty", this.card === null);
    if (this.card === null) return;
    this.totals.replaceChildren(...totalsOf(this.card, locale));
    this.legend.replaceChildren(...MARKS.map((mark) => el("li", "", this.sample(mark), word(locale, `mark.${mark}`))));
    this.legend.append(el("li", "zone", word(locale, "times", { zone: this.zone })));
    this.table.replaceChildren(tableOf(this.card, locale));
    this.timeline.speak(this.look());
    this.details.show(this.chosen, this.look());
  }

  private renderPicker(): void {
    const { locale } = this.preferences;
    const options = this.cards.map((card) => {
      const option = el("option", "", card.problem === null ? `${card.name} · ${card.variant} × ${card.festivals}` : `${card.name} ✕`);
      option.value = card.name;
      option.disabled = card.problem !== null;
      return option;
    });
    if (this.localName !== null) {
      const option = el("option", "", word(locale, "local", { name: this.localName }));
      option.value = LOCAL;
      options.unshift(option);
    }
    this.picker.replaceChildren(...options);
    this.picker.hidden = options.length === 0;
    this.picker.value = this.localName === null ? (new URLSearchParams(window.location.search).get("card") ?? "") : LOCAL;
  }

  private sample(mark: Item["mark"]): SVGElement {
    const unit = 14;
    const wide = mark === "found" || mark === "missed" || mark === "decoy";
    const box = { from: wide ? 4 : 22, to: 40, told: 22, y: 12, unit };
    const picture = svg("svg", { width: 44, height: 24, "aria-hidden": "true", class: "sample" });
    picture.append(...(mark === "decoy" ? [hatching(unit)] : []), ...drawMark(mark, box));
    return picture;
  }
}
