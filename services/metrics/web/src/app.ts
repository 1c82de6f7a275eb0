import { ServerClock, type Reading } from "./core/clock.ts";
import { currencySign, type Locale } from "./core/format.ts";
import { judgeFreshness, looksStale, watermarkLag } from "./core/freshness.ts";
import { applyAlert, applySnapshot, EMPTY_BOARD, type Board } from "./core/state.ts";
import { epoch, knownZone, momentOf } from "./core/time.ts";
import { chooseCampaign, fetchCampaigns, fetchCatalogue } from "./feed/campaigns.ts";
import { CampaignStream } from "./feed/stream.ts";
import type { Campaign, CatalogueRow } from "./feed/types.ts";
import { translate, translateName } from "./i18n.ts";
import { Alerts } from "./panels/alerts.ts";
import { Banner } from "./panels/banner.ts";
import { Channels } from "./panels/channels.ts";
import { Curve } from "./panels/curve.ts";
import { Funnel } from "./panels/funnel.ts";
import { Header } from "./panels/header.ts";
import { Hero } from "./panels/hero.ts";
import { Items } from "./panels/items.ts";
import { Kpis } from "./panels/kpis.ts";
import { Note } from "./panels/note.ts";
import { Regions } from "./panels/regions.ts";
import { Stock } from "./panels/stock.ts";
import { Targets } from "./panels/targets.ts";
import { Preferences } from "./preferences.ts";
import { el, setAttribute, setText } from "./ui/dom.ts";
import type { Panel, View } from "./ui/panel.ts";

/** How often the age of the numbers is judged; well under the three seconds that a stale screen may take. */
const TICK_MS = 250;
const LIST_EVERY_MS = 30_000;
const LIST_WHILE_EMPTY_MS = 2_000;
const CATALOGUE_RETRY_MS = 5_000;

/** The page: one campaign's stream, the board made of it, and the panels that show the board. */
export class App {
  private readonly preferences = new Preferences();
  private readonly clock = new ServerClock();
  private readonly motion = window.matchMedia("(prefers-reduced-motion: reduce)");
  private readonly header = new Header({
    choose: (id) => this.choose(id),
    toggleLanguage: () => this.toggleLanguage(),
    toggleTheme: () => this.toggleTheme(),
  });
  private readonly banner = new Banner();
  private readonly curve = new Curve();
  private readonly panels: readonly Panel[];
  private readonly message = el("p", "message");
  private readonly wall = el("main", "wall");

  private board: Board = EMPTY_BOARD;
  private stream: CampaignStream | null = null;
  private shown: string | null = null;
  private downSince: number | null = null;
  private campaigns: readonly Campaign[] | null = null;
  private catalogue: ReadonlyMap<string, CatalogueRow> = new Map();
  private drawnAt = -Infinity;

  constructor(root: HTMLElement) {
    const note = new Note();
    const body = [new Hero(), new Targets(), new Kpis(), this.curve, new Funnel(), new Alerts()];
    const rest = [new Channels(), new Regions(), new Items(), new Stock()];
    this.panels = [...body, ...rest, note];
    this.wall.append(...[...body, ...rest].map(({ element }) => element));
    this.header.element.querySelector(".facts")?.after(this.banner.element);
    root.append(this.header.element, this.message, this.wall, note.element);
  }

  start(): void {
    this.preferences.applyTheme();
    if (this.preferences.campaign !== null) this.show(this.preferences.campaign);
    void this.keepListing();
    void this.loadCatalogue();
    window.setInterval(() => this.tick(), TICK_MS);
    new ResizeObserver(() => {
      this.curve.resize();
      this.draw();
    }).observe(this.wall);
    window.addEventListener("online", () => this.stream?.revive());
    document.addEventListener("visibilitychange", () => {
      if (document.hidden) return;
      this.stream?.revive();
      this.draw();
    });
    this.draw();
  }

  private async keepListing(): Promise<never> {
    for (;;) {
      let wait = LIST_EVERY_MS;
      try {
        this.campaigns = await fetchCampaigns();
        this.header.offer(this.campaigns, this.preferences.campaign);
        this.follow();
        if (this.campaigns.length === 0) wait = LIST_WHILE_EMPTY_MS;
      } catch {
        // The stream's own state tells the screen; the list is asked for again.
        wait = LIST_WHILE_EMPTY_MS;
      }
      this.draw();
      await sleep(wait * (0.75 + Math.random() / 2));
    }
  }

  private async loadCatalogue(): Promise<void> {
    while (this.catalogue.size === 0) {
      try {
        this.catalogue = new Map((await fetchCatalogue()).map((row) => [row.name, row]));
        this.draw();
        return;
      } catch {
        await sleep(CATALOGUE_RETRY_MS * (0.75 + Math.random() / 2));
      }
    }
  }

  private choose(id: string | null): void {
    this.preferences.campaign = id;
    this.header.offer(this.campaigns ?? [], id);
    if (id === null) this.follow();
    else this.show(id);
  }

  private follow(): void {
    if (this.preferences.campaign !== null || this.campaigns === null) return;
    const campaign = chooseCampaign(this.campaigns, this.clock.now(read()));
    if (campaign !== null) this.show(campaign.id);
  }

  private show(id: string): void {
    if (id === this.shown) return;
    this.shown = id;
    this.board = EMPTY_BOARD;
    this.downSince = null;
    this.stream?.close();
    this.stream = new CampaignStream(`api/v1/campaigns/${encodeURIComponent(id)}/stream`, {
      onSnapshot: (snapshot) => {
        this.board = applySnapshot(this.board, snapshot);
        const asOf = epoch(snapshot.overview?.as_of);
        if (asOf !== null) this.clock.observe(asOf, read());
        this.draw();
      },
      onAlert: (alert) => {
        this.board = applyAlert(this.board, alert);
        this.draw();
      },
      onConnection: (up) => {
        this.downSince = up ? null : (this.downSince ?? performance.now());
      },
    });
    this.draw();
  }

  private toggleLanguage(): void {
    this.preferences.locale = this.preferences.locale === "zh" ? "en" : "zh";
    this.draw();
  }

  private toggleTheme(): void {
    this.preferences.toggleTheme();
    this.draw();
  }

  private tick(): void {
    // Panels follow the snapshots; when none come, what they say of time must go on all the same.
    if (performance.now() - this.drawnAt >= 1_000) this.draw();
    else this.drawTimes(this.view());
  }

  private drawTimes(view: View): void {
    const root = document.documentElement;
    setAttribute(root, "data-freshness", view.freshness);
    root.classList.toggle("looks-stale", looksStale(view.freshness));
    this.header.update(view);
    this.banner.update(view);
  }

  private draw(): void {
    const view = this.view();
    setAttribute(document.documentElement, "lang", view.locale === "zh" ? "zh-CN" : "en");
    this.drawTimes(view);
    if (document.hidden) return;
    this.drawnAt = performance.now();
    this.drawMessage(view);
    for (const panel of this.panels) panel.update(view);
    document.title = this.board.campaign === null ? "Warroom" : `${this.board.campaign.name} · Warroom`;
    if (this.board.overview !== null) document.body.dataset["rendered"] = this.board.overview.as_of;
    else delete document.body.dataset["rendered"];
  }

  private drawMessage(view: View): void {
    const waiting = this.board.overview === null;
    this.message.hidden = !waiting;
    this.wall.hidden = waiting;
    if (!waiting) return;
    const known = this.campaigns?.some(({ id }) => id === this.shown) ?? true;
    setText(
      this.message,
      this.campaigns?.length === 0 && this.shown === null
        ? view.t("app.noCampaign")
        : this.shown !== null && !known
          ? view.t("app.unknownCampaign", { id: this.shown })
          : view.t("app.loading"),
    );
  }

  private view(): View {
    const reading = read();
    const { board } = this;
    const { locale } = this.preferences;
    const now = this.clock.now(reading);
    const asOf = epoch(board.overview?.as_of);
    const ageMs = asOf === null ? null : this.clock.age(reading);
    const silentForMs = asOf === null ? null : this.clock.silence(reading);
    const lagMs =
      asOf === null ? null : watermarkLag(asOf, epoch(board.overview?.watermark), epoch(board.campaign?.end));
    const freshness = judgeFreshness({
      downForMs: this.downSince === null ? null : reading.steady - this.downSince,
      silentForMs,
      ageMs,
      lagMs,
      running: board.campaign !== null && momentOf(board.campaign, now) === "running",
    });
    return {
      board,
      freshness,
      now,
      ageMs,
      lagMs,
      locale,
      zone: knownZone(board.campaign?.timezone),
      sign: currencySign(board.campaign?.currency),
      catalogue: this.catalogue,
      still: this.motion.matches || document.hidden,
      t: (key, values) => translate(locale, key, values),
      metric: (name) => this.metricName(locale, name),
    };
  }

  private metricName(locale: Locale, name: string): string {
    const short = translateName(locale, "metric", name);
    if (short !== name) return short;
    const row = this.catalogue.get(name);
    return (locale === "zh" ? row?.title_zh : row?.title) ?? name;
  }
}

function read(): Reading {
  return { wall: Date.now(), steady: performance.now() };
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => window.setTimeout(resolve, milliseconds));
}
