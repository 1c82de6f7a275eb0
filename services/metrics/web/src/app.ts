import { ServerClock } from "./core/clock.ts";
import { figures } from "./core/figures.ts";
import { currencySign, type Locale } from "./core/format.ts";
import { judgeFreshness, looksStale, watermarkLag } from "./core/freshness.ts";
import { asksElse, toggled, without, DIMENSIONS, type Lens } from "./core/lens.ts";
import { epoch, knownZone, momentOf } from "./core/time.ts";
import { Sleep } from "./core/wake.ts";
import { BegunAlerts } from "./feed/begun.ts";
import { chooseCampaign } from "./feed/campaigns.ts";
import { Listing } from "./feed/listing.ts";
import { translate, translateName } from "./i18n.ts";
import { Alerts } from "./panels/alerts.ts";
import { Banner } from "./panels/banner.ts";
import { Channels } from "./panels/channels.ts";
import { Comparison } from "./panels/comparison.ts";
import { Crumbs } from "./panels/crumbs.ts";
import { Curve } from "./panels/curve.ts";
import { DayCurve } from "./panels/day.ts";
import { Funnel } from "./panels/funnel.ts";
import { Header } from "./panels/header.ts";
import { Hero } from "./panels/hero.ts";
import { Items } from "./panels/items.ts";
import { Kpis } from "./panels/kpis.ts";
import { Ladder } from "./panels/ladder.ts";
import { Note } from "./panels/note.ts";
import { Regions } from "./panels/regions.ts";
import { replayFailure, Ribbon } from "./panels/ribbon.ts";
import { Stock } from "./panels/stock.ts";
import { Targets } from "./panels/targets.ts";
import { TimeBar } from "./panels/timebar.ts";
import { Navigation } from "./navigation.ts";
import { Past } from "./past.ts";
import { Preferences } from "./preferences.ts";
import { Present } from "./present.ts";
import { readClocks } from "./ui/clocks.ts";
import { el, setAttribute, setText } from "./ui/dom.ts";
import { listenForFilters } from "./ui/filtering.ts";
import { Keys } from "./ui/keys.ts";
import type { Actions, Panel, View } from "./ui/panel.ts";

/** How often the age of the numbers is judged; well under the three seconds that a stale screen may take. */
const TICK_MS = 250;

/** The page: one campaign's stream, the board made of it, and the panels that show the board. */
export class App {
  private readonly preferences = new Preferences();
  private readonly navigation = new Navigation((lens, before) => this.moved(lens, before));
  private readonly clock = new ServerClock();
  private readonly motion = window.matchMedia("(prefers-reduced-motion: reduce)");
  private readonly act: Actions = {
    choose: (id) => this.navigation.go({ ...this.navigation.lens, campaign: id, filters: {}, at: null, compare: null, marked: null }),
    filter: (dimension, value) => this.navigation.go(toggled(this.pinned, dimension, value)),
    unfilter: (dimension) => {
      const { lens } = this.navigation;
      this.navigation.go(dimension === null ? { ...lens, filters: {} } : without(lens, dimension));
    },
    // One step of the history leads into the past and one out of it, however far one goes there.
    at: (moment) => this.navigation.go({ ...this.pinned, at: moment }, moment !== null && this.navigation.lens.at !== null),
    playOrHold: () => this.past.playOrHold(),
    speed: (speed) => this.past.setSpeed(speed),
    compare: (campaign) => this.navigation.go({ ...this.pinned, compare: campaign }),
    mark: (span) => this.navigation.go({ ...this.pinned, marked: span }, true),
    hide: (hidden) => this.navigation.go({ ...this.navigation.lens, hidden }, true),
    openAlert: (id) => this.alerts.open(id),
  };
  private readonly header = new Header({
    choose: (id) => this.act.choose(id),
    toggleLanguage: () => this.toggleLanguage(),
    toggleTheme: () => this.toggleTheme(),
    toggleHidden: () => this.act.hide(!this.navigation.lens.hidden),
    toggleCompare: () => this.toggleCompare(),
  });
  private readonly banner = new Banner();
  private readonly crumbs = new Crumbs();
  private readonly alerts = new Alerts();
  private readonly keys = new Keys();
  private readonly curve = new Curve();
  private readonly day = new DayCurve();
  private readonly ribbon = new Ribbon();
  private readonly comparison = new Comparison();
  private readonly timebar = new TimeBar();
  private readonly sleep = new Sleep();
  private readonly begun = new BegunAlerts(() => this.draw());
  private readonly listing = new Listing(() => this.listed());
  private readonly present = new Present(this.clock, () => this.drawLive());
  private readonly past = new Past({
    moved: (at) => this.act.at(at),
    changed: () => this.draw(),
    now: () => this.clock.now(readClocks()),
    campaign: () => this.present.board.campaign,
  });
  private readonly panels: readonly Panel[];
  private readonly message = el("p", "message");
  private readonly wall = el("main", "wall");

  private drawnAt = -Infinity;

  constructor(root: HTMLElement) {
    const note = new Note();
    const body = [new Hero(), new Targets(), this.day, new Kpis(), this.curve, new Funnel(), new Ladder(), this.alerts];
    const rest = [new Channels(), new Regions(), new Items(), new Stock()];
    this.panels = [this.crumbs, ...body, ...rest, this.comparison, this.timebar, note];
    this.wall.append(...[...body, ...rest].map(({ element }) => element));
    this.header.element.querySelector(".facts")?.after(this.banner.element);
    root.append(this.header.element, this.ribbon.element, this.crumbs.element, this.message, this.wall, this.comparison.element);
    root.append(this.timebar.element, note.element, this.keys.element, ...this.alerts.layers);
    listenForFilters(root, this.act);
    this.bindKeys();
  }

  start(): void {
    this.preferences.applyTheme();
    const { campaign } = this.navigation.lens;
    if (campaign !== null) this.show(campaign);
    this.listing.start();
    window.setInterval(() => this.tick(), TICK_MS);
    const resized = new ResizeObserver(() => {
      this.curve.resize();
      this.day.resize();
      this.comparison.resize();
      this.draw();
    });
    resized.observe(this.wall);
    resized.observe(this.comparison.element);
    window.addEventListener("online", () => this.present.revive());
    document.addEventListener("visibilitychange", () => {
      if (document.hidden) return;
      this.present.revive();
      this.draw();
    });
    this.draw();
  }

  private listed(): void {
    const campaigns = this.listing.campaigns ?? [];
    this.header.offer(campaigns, this.navigation.lens.campaign);
    this.comparison.offer(campaigns);
    this.follow();
    this.draw();
  }

  /** The lens with the campaign that is shown: a link to what is filtered must not follow another one later. */
  private get pinned(): Lens {
    const { lens } = this.navigation;
    return { ...lens, campaign: lens.campaign ?? this.shown };
  }

  private moved(lens: Lens, before: Lens): void {
    this.header.offer(this.listing.campaigns ?? [], lens.campaign);
    const shown = this.shown;
    if (lens.campaign === null) this.follow();
    else this.show(lens.campaign);
    // Following may have led to the same campaign, whose filters are others now.
    if (this.shown !== null && shown === this.shown && asksElse({ ...lens, campaign: null, at: null }, { ...before, campaign: null, at: null })) {
      this.present.ask(this.shown, lens.filters);
    }
    this.past.follow(this.shown, lens);
    this.draw();
  }

  private get shown(): string | null {
    return this.present.campaign;
  }

  private follow(): void {
    const { campaigns } = this.listing;
    if (this.navigation.lens.campaign !== null || campaigns === null) return;
    const campaign = chooseCampaign(campaigns, this.clock.now(readClocks()));
    if (campaign !== null) this.show(campaign.id);
  }

  private show(id: string): void {
    if (id === this.shown) return;
    this.begun.follow(id);
    this.present.ask(id, this.navigation.lens.filters);
    this.past.follow(id, this.navigation.lens);
  }

  private toggleLanguage(): void {
    this.preferences.locale = this.preferences.locale === "zh" ? "en" : "zh";
    this.draw();
  }

  private toggleTheme(): void {
    this.preferences.toggleTheme();
    this.draw();
  }

  private bindKeys(): void {
    this.keys.bind("/", "keys.campaign", () => this.header.focusPicker());
    this.keys.bind("Escape", "keys.back", () => this.stepBack());
    this.keys.bind("h", "keys.hide", () => this.act.hide(!this.navigation.lens.hidden));
    this.keys.bind("g", "keys.language", () => this.toggleLanguage());
    this.keys.bind("t", "keys.theme", () => this.toggleTheme());
    this.keys.bind("c", "keys.compare", () => this.toggleCompare());
    this.keys.bind(" ", "keys.play", () => this.act.playOrHold());
    this.keys.bind("l", "keys.live", () => this.act.at(null));
    this.keys.bind("ArrowLeft", "keys.earlier", () => this.timebar.press("ArrowLeft"));
    this.keys.bind("ArrowRight", "keys.later", () => this.timebar.press("ArrowRight"));
    this.alerts.bindKeys(this.keys);
  }

  private toggleCompare(): void {
    if (this.navigation.lens.compare !== null) return this.act.compare(null);
    const others = (this.listing.campaigns ?? []).filter(({ id }) => id !== this.shown);
    const baseline = others.find(({ id }) => id === this.present.board.overview?.baseline?.campaign_id);
    const other = baseline ?? chooseCampaign(others, this.clock.now(readClocks()));
    if (other !== null) this.act.compare(other.id);
  }

  private stepBack(): void {
    if (this.navigation.lens.compare !== null) return this.act.compare(null);
    const last = DIMENSIONS.filter((dimension) => this.navigation.lens.filters[dimension] !== undefined).at(-1);
    if (last !== undefined) this.act.unfilter(last);
  }

  /** Behind a replay the live picture needs no drawing: what the page says of it follows with the next tick. */
  private drawLive(): void {
    if (this.past.state === null) this.draw();
  }

  private tick(): void {
    // After a sleep the connection may be dead and not know it; what is on the screen is old until it is back.
    if (this.sleep.woke(readClocks()) && !document.hidden) this.present.revive(true);
    // Panels follow the snapshots; when none come, what they say of time must go on all the same.
    if (performance.now() - this.drawnAt >= 1_000) this.draw();
    else this.drawTimes(this.view());
  }

  private drawTimes(view: View): void {
    const root = document.documentElement;
    setAttribute(root, "data-freshness", view.freshness);
    root.classList.toggle("looks-stale", looksStale(view.freshness));
    this.header.update(view);
    this.ribbon.update(view);
    this.keys.update(view);
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
    const { board } = view;
    const name = board.campaign === null ? "Warroom" : `${board.campaign.name} · Warroom`;
    document.title = view.replay === null ? name : `${view.t("time.replay")} · ${name}`;
    if (board.overview !== null) document.body.dataset["rendered"] = board.overview.as_of;
    else delete document.body.dataset["rendered"];
  }

  private drawMessage(view: View): void {
    const waiting = view.board.overview === null;
    this.message.hidden = !waiting;
    this.wall.hidden = waiting || view.lens.compare !== null;
    if (!waiting) return;
    const known = this.listing.campaigns?.some(({ id }) => id === this.shown) ?? true;
    setText(
      this.message,
      this.listing.campaigns?.length === 0 && this.shown === null
        ? view.t("app.noCampaign")
        : this.shown !== null && !known
          ? view.t("app.unknownCampaign", { id: this.shown })
          : (this.present.refused ?? replayFailure(view) ?? view.t("app.loading")),
    );
  }

  private view(): View {
    return this.past.seen(this.liveView());
  }

  private liveView(): View {
    const reading = readClocks();
    const { board, downSince } = this.present;
    const { locale } = this.preferences;
    const sign = currencySign(board.campaign?.currency);
    const now = this.clock.now(reading);
    const asOf = epoch(board.overview?.as_of);
    const ageMs = asOf === null ? null : this.clock.age(reading);
    const silentForMs = asOf === null ? null : this.clock.silence(reading);
    const lagMs =
      asOf === null ? null : watermarkLag(asOf, epoch(board.overview?.watermark), epoch(board.campaign?.end));
    const freshness = judgeFreshness({
      downForMs: downSince === null ? null : reading.steady - downSince,
      silentForMs,
      ageMs,
      lagMs,
      running: board.campaign !== null && momentOf(board.campaign, now) === "running",
    });
    return {
      board,
      lens: this.navigation.lens,
      act: this.act,
      fmt: figures(locale, sign, this.navigation.lens.hidden),
      freshness,
      replay: null,
      speed: this.past.speed,
      live: { board, now, begun: this.begun.with(board.alerts ?? []) },
      now,
      ageMs,
      lagMs,
      locale,
      zone: knownZone(board.campaign?.timezone),
      sign,
      catalogue: this.listing.catalogue,
      still: this.motion.matches || document.hidden,
      t: (key, values) => translate(locale, key, values),
      metric: (name) => this.metricName(locale, name),
    };
  }

  private metricName(locale: Locale, name: string): string {
    const short = translateName(locale, "metric", name);
    if (short !== name) return short;
    const row = this.listing.catalogue.get(name);
    return (locale === "zh" ? row?.title_zh : row?.title) ?? name;
  }
}
