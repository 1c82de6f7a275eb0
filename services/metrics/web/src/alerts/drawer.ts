import { epoch } from "../core/time.ts";
import { el, setAttribute, setClass, setText } from "../ui/dom.ts";
import { button, Dialog, setBlocked } from "./dialog.ts";
import { culprit, dimensionOf, failureText, labelName, labelValue, MARKS, ruleName, title } from "./naming.ts";
import { factsOf } from "./facts.ts";
import { Picture } from "./picture.ts";
import { labelsOf, linked, runbookOf, summaryOf } from "./texts.ts";
import { drawTimeline } from "./timeline.ts";
import type { Desk } from "./desk.ts";
import type { AlertDetail, FeedAlert } from "./model.ts";
import type { Failure } from "./outcome.ts";
import type { View } from "../ui/panel.ts";

/** Deliveries end, and nothing streams that. */
const REFRESH_MS = 5_000;
const LONGEST_NOTE = 2000;

/** One alert with all that is known of it, over the edge of the page. */
export class Drawer {
  private readonly dialog = new Dialog("drawer", () => this.closed());
  readonly element = this.dialog.element;
  private readonly mark = el("span", "drawer-standing");
  private readonly title = el("h2", "dialog-title");
  private readonly summary = el("p", "drawer-summary");
  private readonly facts = el("dl", "drawer-facts");
  private readonly picture = new Picture();
  private readonly labels = el("div", "drawer-labels");
  private readonly incident = el("div", "drawer-labels");
  private readonly runbook = el("div", "drawer-runbook");
  private readonly timeline = el("ol", "drawer-timeline");
  private readonly reading = el("p", "dialog-hint");
  private readonly noteLabel = el("label", "field-label");
  private readonly note = el("input", "field");
  private readonly acknowledge = button("press press-main", () => void this.take());
  private readonly silence = button("press", () => this.alert !== null && this.desk.silence(this.alert));
  private readonly then = button("press", () => this.lookBack());
  private readonly who = button("press press-plain", () => this.desk.rename());
  private readonly failure = el("p", "failure");
  private readonly close = button("drawer-close", () => this.dialog.close());
  private readonly headings = new Map<string, HTMLElement>();

  private id: string | null = null;
  private detail: AlertDetail | null = null;
  private problem: Failure | null = null;
  private alert: FeedAlert | null = null;
  private view: View | null = null;
  private signature: string | null = null;
  private timer: number | undefined;

  constructor(
    private readonly desk: Desk,
    private readonly step: (id: string, by: 1 | -1) => void,
  ) {
    this.failure.setAttribute("aria-live", "assertive");
    this.note.id = "acknowledge-note";
    this.note.maxLength = LONGEST_NOTE;
    this.noteLabel.htmlFor = this.note.id;
    setText(this.close, "✕");
    const act = el("form", "drawer-act", this.noteLabel, this.note, el("div", "presses", this.acknowledge, this.silence, this.then), this.failure, this.who);
    act.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.take();
    });
    this.dialog.body.append(
      el("header", "drawer-head", el("div", "", this.mark, this.title), this.close),
      this.summary,
      act,
      this.section("drawer.why", this.facts),
      this.section("drawer.curve", this.picture.element),
      this.section("drawer.labels", this.labels),
      this.section("drawer.incident", this.incident),
      this.section("drawer.runbook", this.runbook),
      this.section("drawer.timeline", this.reading, this.timeline),
    );
    this.element.addEventListener("keydown", (event) => this.pressed(event));
  }

  get shown(): string | null {
    return this.dialog.isOpen ? this.id : null;
  }

  /** Reads something out: while this is open, nothing behind it is heard. */
  say(text: string): void {
    if (this.dialog.isOpen) setText(this.dialog.status, text);
  }

  open(id: string): void {
    if (this.id !== id) {
      this.id = id;
      this.detail = null;
      this.alert = null;
      this.problem = null;
      this.signature = null;
      this.note.value = "";
    }
    rememberOpen(id);
    void this.read();
    if (this.view !== null) this.update(this.view, this.alert === null ? [] : [this.alert]);
    this.dialog.show(this.title);
    this.dialog.body.scrollTop = 0;
    this.close.focus();
  }

  update(view: View, alerts: readonly FeedAlert[]): void {
    this.view = view;
    if (this.id === null) return;
    // The feed knows how it stands at this second, the answer knows what happened to it.
    const fed = alerts.find(({ id }) => id === this.id);
    this.alert = fed ?? this.detail ?? this.alert;
    const signature = JSON.stringify([fed?.state, fed?.mute, fed?.incident, fed?.acknowledged_by]);
    if (this.signature !== null && signature !== this.signature && this.dialog.isOpen) void this.read();
    this.signature = signature;
    const { alert } = this;
    for (const [key, heading] of this.headings) setText(heading, view.t(key as "drawer.why"));
    setAttribute(this.close, "aria-label", view.t("acting.close"));
    this.dialog.body.classList.toggle("drawer-empty", alert === null);
    if (alert === null) {
      setText(this.title, this.problem === null ? view.t("drawer.loading") : view.t("drawer.gone", { why: failureText(view, this.problem) }));
      return;
    }
    this.drawHead(view, alert);
    this.drawActions(view, alert);
    this.drawFacts(view, alert);
    this.picture.update(view, alert);
    this.drawLabels(view, alert);
    this.drawIncident(view, alert, alerts);
    this.drawRunbook(view, alert);
    this.drawTimeline(view);
    for (const section of this.element.querySelectorAll<HTMLElement>(".drawer-section")) {
      const bodies = [...section.children].slice(1) as HTMLElement[];
      section.hidden = bodies.every((body) => body.hidden);
    }
  }

  private drawHead(view: View, alert: FeedAlert): void {
    setClass(this.mark, `drawer-standing severity-${alert.severity}`);
    setText(this.mark, `${MARKS[alert.severity]} ${view.t(`severity.${alert.severity}`)} · ${view.t(`state.${alert.state}`)}`);
    setText(this.title, title(view, alert));
    setText(this.summary, view.fmt.hidden ? view.t("drawer.hidden") : summaryOf(alert, view.locale));
  }

  private drawActions(view: View, alert: FeedAlert): void {
    const blocked = this.desk.blocked(view);
    const act = this.desk.act(alert);
    const firing = alert.state === "firing";
    const onItsWay = act?.phase === "sending" || act?.phase === "sent";
    const may = this.desk.may(alert);
    this.noteLabel.hidden = this.note.hidden = !firing || blocked !== null || !may;
    setText(this.noteLabel, view.t("acting.note"));
    this.acknowledge.hidden = !firing || !may;
    this.acknowledge.disabled = onItsWay;
    setText(this.acknowledge, view.t(onItsWay ? "acting.sending" : act?.phase === "failed" ? "acting.again" : "acting.acknowledge"));
    this.silence.hidden = alert.state === "resolved" || !may;
    setText(this.silence, view.t("acting.silence"));
    for (const each of [this.acknowledge, this.silence]) setBlocked(each, blocked);
    const began = epoch(alert.starts_at);
    this.then.hidden = began === null || view.lens.at === began;
    setText(this.then, view.t("drawer.then"));
    const name = this.desk.who;
    setText(this.who, name === null ? view.t("acting.nobody") : view.t("acting.as", { name }));
    setAttribute(this.who, "title", view.t("acting.changeName"));
    this.who.hidden = blocked !== null || alert.state === "resolved" || this.desk.signedIn.name !== null;
    const why = alert.state === "resolved" || !may ? null : blocked;
    setText(this.failure, act?.failure ? failureText(view, act.failure) : (why ?? ""));
    this.failure.classList.toggle("failure-mild", act?.failure == null);
  }

  private drawFacts(view: View, alert: FeedAlert): void {
    const facts = factsOf(view, alert);
    redraw(this.facts, facts, () => facts.flatMap(([name, value]) => [el("dt", "", name), el("dd", "", value)]));
  }

  private drawLabels(view: View, alert: FeedAlert): void {
    const labels = labelsOf(alert);
    this.labels.hidden = labels.length === 0;
    redraw(this.labels, [view.locale, labels, view.lens.filters], () =>
      labels.map(([name, value]) => {
        const text = `${labelName(view, name)}: ${labelValue(view, name, value)}`;
        const dimension = dimensionOf(name);
        if (dimension === null) return el("span", "chip", text);
        const chip = button("chip chip-press", () => {
          this.dismiss();
          if (this.view?.lens.filters[dimension] !== value) this.view?.act.filter(dimension, value);
        });
        chip.textContent = text;
        chip.title = view.t("drawer.filter", { value: labelValue(view, name, value) });
        return chip;
      }),
    );
  }

  private drawIncident(view: View, alert: FeedAlert, alerts: readonly FeedAlert[]): void {
    const name = alert.incident || alert.id;
    const others = alerts.filter((other) => other.id !== alert.id && (other.incident || other.id) === name);
    // Its cause may be too long ago for the feed.
    const strange = name !== alert.id && !others.some(({ id }) => id === name);
    this.incident.hidden = others.length === 0 && !strange;
    const said = others.map((other) => ({
      id: other.id,
      text: `${other.id === name ? `${view.t("drawer.cause")}: ` : ""}${MARKS[other.severity]} ${ruleName(view, other.rule)} ${culprit(view, other)} · ${view.t(`state.${other.state}`)}`,
    }));
    if (strange) said.unshift({ id: name, text: view.t("drawer.cause") });
    redraw(this.incident, said, () =>
      said.map(({ id, text }) => {
        const chip = button("chip chip-press", () => this.open(id));
        chip.textContent = text;
        return chip;
      }),
    );
  }

  private drawRunbook(view: View, alert: FeedAlert): void {
    const text = runbookOf(alert, view.locale) || view.t("drawer.noRunbook");
    redraw(this.runbook, text, () =>
      linked(text).map((part) => {
        if (!part.link) return document.createTextNode(part.text);
        const link = el("a", "", part.text);
        link.href = part.text;
        link.target = "_blank";
        link.rel = "noopener noreferrer";
        return link;
      }),
    );
  }

  private drawTimeline(view: View): void {
    const { detail } = this;
    this.reading.hidden = detail !== null && this.problem === null;
    setText(this.reading, this.problem === null ? view.t("drawer.loading") : view.t("drawer.noTimeline", { why: failureText(view, this.problem) }));
    this.timeline.hidden = detail === null;
    if (detail !== null) drawTimeline(this.timeline, view, detail.timeline);
  }

  private async read(): Promise<void> {
    const { id } = this;
    window.clearTimeout(this.timer);
    if (id === null) return;
    const outcome = await this.desk.api.detail(id);
    if (id !== this.id) return;
    if (outcome.ok) this.detail = outcome.answer;
    this.problem = outcome.ok ? null : outcome.failure;
    window.clearTimeout(this.timer);
    if (!this.dialog.isOpen) return;
    this.timer = window.setTimeout(() => void this.read(), REFRESH_MS * (0.75 + Math.random() / 2));
    this.desk.changed();
  }

  private async take(): Promise<void> {
    if (this.alert === null) return;
    if (await this.desk.acknowledge(this.alert, this.note.value)) {
      this.note.value = "";
      void this.read();
      // The button is gone by then, and the focus must not be.
      if (!this.element.contains(document.activeElement)) this.close.focus();
    }
  }

  private lookBack(): void {
    const began = epoch(this.alert?.starts_at);
    this.dismiss();
    if (began !== null) this.view?.act.at(began);
  }

  private pressed(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey || this.alert === null) return;
    if (event.target instanceof HTMLElement && event.target.matches("input, textarea")) return;
    const run = {
      a: () => void this.take(),
      s: () => this.alert !== null && this.desk.silence(this.alert),
      j: () => this.id !== null && this.step(this.id, 1),
      k: () => this.id !== null && this.step(this.id, -1),
    }[event.key.toLowerCase()];
    if (run === undefined) return;
    event.preventDefault();
    run();
  }

  /** Before the address moves on: the step back must not lead to a drawer. */
  private dismiss(): void {
    rememberOpen(null);
    this.dialog.close();
  }

  private closed(): void {
    window.clearTimeout(this.timer);
    rememberOpen(null);
  }

  private section(key: string, ...body: HTMLElement[]): HTMLElement {
    const heading = el("h3", "drawer-heading");
    this.headings.set(key, heading);
    return el("section", "drawer-section", heading, ...body);
  }
}

/** Builds the children anew when, and only when, what they show has changed: what has the focus stays. */
function redraw(parent: HTMLElement, shown: unknown, build: () => readonly Node[]): void {
  const stamp = JSON.stringify(shown);
  if (parent.dataset["stamp"] === stamp) return;
  parent.dataset["stamp"] = stamp;
  parent.replaceChildren(...build());
}

/** The open alert stands in the address, so that a link opens it. */
export function openInAddress(): string | null {
  return new URLSearchParams(window.location.search).get("alert");
}

function rememberOpen(id: string | null): void {
  const url = new URL(window.location.href);
  if (id === null) url.searchParams.delete("alert");
  else url.searchParams.set("alert", id);
  url.search = url.searchParams.toString().replaceAll("%3A", ":");
  window.history.replaceState(null, "", url);
}
