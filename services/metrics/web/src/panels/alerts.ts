import { countFiring } from "../core/alerts.ts";
import { Card, type CardPresses } from "../alerts/card.ts";
import { button } from "../alerts/dialog.ts";
import { Desk } from "../alerts/desk.ts";
import { Drawer, openInAddress } from "../alerts/drawer.ts";
import { groupIncidents } from "../alerts/incidents.ts";
import { told, type FeedAlert } from "../alerts/model.ts";
import { MARKS, title } from "../alerts/naming.ts";
import { newlyCritical, type Known } from "../alerts/news.ts";
import { Sound } from "../alerts/sound.ts";
import { el, setAttribute, setClass, setText, setVariable, syncChildren } from "../ui/dom.ts";
import { fittingHeights, isNarrow } from "../ui/fit.ts";
import { syncKeyed } from "../ui/keyed.ts";
import { emptyLine, frame, showEmpty, type Panel, type View } from "../ui/panel.ts";
import type { Keys } from "../ui/keys.ts";
import type { AlertState, Severity } from "../feed/types.ts";

export { MARKS };

type Heights = Readonly<Record<AlertState, number>>;

/** With the gap below. Where there is room for all, what fires gets two lines for its words; what is over has one in all. */
const ROOMY_REM: Heights = { firing: 4.7, acknowledged: 3.5, pending: 3.5, resolved: 2.05 };
const DENSE_REM: Heights = { ...ROOMY_REM, firing: 3.5 };
const MOST_ON_PHONE = 12;

interface Place {
  readonly alert: FeedAlert;
  readonly members: number;
  readonly member: boolean;
  readonly lead: string;
}

/** What needs a human, the gravest first; what is over stays for a while, and looks it. */
export class Alerts implements Panel {
  readonly element: HTMLElement;
  /** What lies over the page. */
  readonly layers: readonly HTMLElement[];
  private readonly frame = frame("alerts");
  private readonly count = el("span", "alert-counts");
  private readonly list = el("ul", "alert-list");
  private readonly more = button("alert-tool alert-more", () => this.showMore());
  private readonly empty = emptyLine();
  private readonly news = el("p", "unseen");
  private readonly desk = new Desk(() => this.redraw());
  private readonly drawer = new Drawer(this.desk, (id, by) => this.stepFrom(id, by));
  private readonly sound = new Sound();
  private readonly soundTool = button("alert-tool", () => {
    this.sound.toggle();
    this.redraw();
  });
  private readonly silencesTool = button("alert-tool", () => this.desk.openSilences());
  private readonly whoTool = button("alert-tool alert-who", () => this.desk.rename());
  private readonly leaveTool = button("alert-tool", () => void this.desk.signedIn.signOut());
  private readonly cards = new Map<string, Card>();
  private readonly unfolded = new Set<string>();
  private readonly presses: CardPresses = {
    open: (id) => this.open(id),
    acknowledge: (id) => this.with(id, (alert) => void this.desk.acknowledge(alert)),
    silence: (id) => this.with(id, (alert) => this.desk.silence(alert)),
    fold: (id) => {
      if (!this.unfolded.delete(id)) this.unfolded.add(id);
      this.redraw();
      // What has come out may lie below the edge.
      if (this.unfolded.has(id)) this.cards.get(id)?.element.nextElementSibling?.scrollIntoView({ block: "nearest" });
    },
  };
  private places: readonly Place[] = [];
  /** The one that the Tab key reaches; the others are reached by arrows. */
  private current: string | null = null;
  private all = false;
  private fitting = 0;
  private known: Known = null;
  private listensTo = "";
  private view: View | null = null;
  private wanted = openInAddress();

  constructor() {
    this.element = this.frame.element;
    this.layers = [this.news, this.drawer.element, ...this.desk.layers];
    this.frame.aside.append(this.more, this.whoTool, this.leaveTool, this.silencesTool, this.soundTool, this.count);
    this.frame.body.append(this.list, this.empty);
    this.news.setAttribute("role", "status");
    this.soundTool.dataset["action"] = "sound";
    this.silencesTool.dataset["action"] = "silences";
    this.whoTool.dataset["action"] = "name";
    this.leaveTool.dataset["action"] = "sign-out";
    this.leaveTool.hidden = true;
    this.list.addEventListener("keydown", (event) => this.pressed(event));
    this.list.addEventListener("focusin", (event) => {
      const id = (event.target as HTMLElement).closest<HTMLElement>("[data-alert]")?.dataset["alert"];
      if (id !== undefined && id !== this.current) {
        this.current = id;
        this.redraw();
      }
    });
    this.desk.silences.start();
    this.desk.signedIn.start();
  }

  bindKeys(keys: Keys): void {
    keys.bind("j", "keys.alert", () => this.move(1));
    keys.bind("k", "keys.alert", () => this.move(-1));
    keys.bind("a", "keys.acknowledge", () => this.onChosen((alert) => void this.desk.acknowledge(alert)));
    keys.bind("s", "keys.silence", () => this.onChosen((alert) => this.desk.silence(alert)));
    keys.bind("m", "keys.silences", () => this.desk.openSilences());
  }

  /** Shows one with all that is known of it, also when the feed holds it no more. */
  open(id: string): void {
    this.drawer.open(id);
    this.redraw();
  }

  update(view: View): void {
    this.view = view;
    const alerts = told(view.board.alerts);
    this.desk.update(view);
    this.frame.title(view.t("alerts.title"));
    showEmpty(this.empty, alerts.length === 0 ? view.t("alerts.none") : null);
    this.updateTools(view);
    this.updateCounts(view, alerts);
    this.updateList(view, alerts);
    this.announce(view, alerts);
    if (this.wanted !== null && view.board.alerts !== null) {
      const id = this.wanted;
      this.wanted = null;
      this.drawer.open(id);
    }
    this.drawer.update(view, alerts);
  }

  private updateList(view: View, alerts: readonly FeedAlert[]): void {
    const incidents = groupIncidents(alerts);
    this.places = incidents.flatMap(({ lead, members }) => [
      { alert: lead, members: members.length, member: false, lead: lead.id },
      ...(this.unfolded.has(lead.id) ? members.map((alert) => ({ alert, members: 0, member: true, lead: lead.id })) : []),
    ]);
    const roomy = this.places.map(({ alert }) => ROOMY_REM[alert.state]);
    const dense = fittingHeights(this.frame.body, roomy, roomy.length) < roomy.length;
    this.list.classList.toggle("dense", dense);
    const heights = dense ? this.places.map(({ alert }) => DENSE_REM[alert.state]) : roomy;
    const fitting = fittingHeights(this.frame.body, heights, MOST_ON_PHONE);
    this.fitting = fitting;
    const narrow = isNarrow();
    const drawn = narrow && !this.all ? this.places.slice(0, fitting) : this.places;
    const rest = this.all && narrow ? 0 : this.places.length - fitting;
    this.more.hidden = rest <= 0;
    setText(this.more, view.t("alerts.more", { count: rest }));
    // Only whole cards are seen at rest; the others are scrolled to.
    setVariable(this.list, "--seen", String(heights.slice(0, fitting).reduce((sum, height) => sum + height, 0)));
    setAttribute(this.list, "aria-label", view.t("feed.list"));
    const here = drawn.some(({ alert }) => alert.id === this.current) ? this.current : (drawn[0]?.alert.id ?? null);
    const blocked = this.desk.blocked(view);
    const keys = drawn.map(({ alert }) => alert.id);
    syncKeyed(
      this.list,
      keys,
      (id) => this.createCard(id),
      (_, index) => {
        const place = drawn[index];
        if (place === undefined) return;
        const { alert, members, member } = place;
        const state = { alert, members, member, unfolded: this.unfolded.has(alert.id), act: this.desk.act(alert), blocked, may: this.desk.may(alert) };
        this.cards.get(alert.id)?.update(view, state, alert.id === here);
      },
    );
    for (const id of this.cards.keys()) if (!keys.includes(id)) this.cards.delete(id);
    if (!this.list.matches(":hover, :focus-within")) this.list.scrollTop = 0;
  }

  private createCard(id: string): HTMLElement {
    const card = new Card(id, this.presses);
    this.cards.set(id, card);
    return card.element;
  }

  private updateTools(view: View): void {
    const name = this.desk.who;
    const known = this.desk.signedIn.name !== null;
    setText(this.whoTool, name === null ? view.t("acting.nobody") : view.t(known ? "acting.signedIn" : "acting.as", { name }));
    setAttribute(this.whoTool, "title", known ? null : view.t("acting.changeName"));
    this.whoTool.disabled = known;
    setText(this.leaveTool, view.t("acting.signOut"));
    this.leaveTool.hidden = !this.desk.signedIn.leaves;
    setText(this.silencesTool, view.t("feed.silences", { count: this.desk.silences.count(view.now) }));
    setText(this.soundTool, view.t(this.sound.on ? "feed.sound.on" : "feed.sound.off"));
    setAttribute(this.soundTool, "title", view.t("feed.sound.hint"));
    this.soundTool.classList.toggle("is-on", this.sound.on);
    this.whoTool.hidden = this.desk.blocked(view) !== null && !known;
    this.element.classList.toggle("read-only", this.desk.silences.unreachable);
    setAttribute(this.element, "data-blocked", this.desk.blocked(view));
  }

  private updateCounts(view: View, alerts: readonly FeedAlert[]): void {
    const counts = countFiring(alerts);
    const present = (Object.keys(MARKS) as Severity[]).filter((severity) => counts[severity] > 0);
    const chips: readonly { readonly look: string; readonly text: string; readonly name: string }[] =
      present.length === 0
        ? [{ look: "quiet", text: view.t("alerts.quiet"), name: "" }]
        : present.map((severity) => ({
            look: `count severity-${severity}`,
            text: `${MARKS[severity]} ${counts[severity]}`,
            name: view.t(`severity.${severity}`),
          }));
    syncChildren(
      this.count,
      chips.length,
      () => el("span"),
      (element, index) => {
        const chip = chips[index];
        if (chip === undefined) return;
        setClass(element, chip.look);
        setText(element, chip.text);
        setAttribute(element, "title", chip.name === "" ? null : chip.name);
      },
    );
  }

  /** Says what is new and critical, and only what is new while this very view is looked at. */
  private announce(view: View, alerts: readonly FeedAlert[]): void {
    if (view.board.alerts === null) return;
    const listensTo = JSON.stringify([view.board.campaign?.id, view.lens.filters, view.lens.at]);
    const { known, news } = newlyCritical(listensTo === this.listensTo ? this.known : null, alerts);
    this.known = known;
    this.listensTo = listensTo;
    if (news.length === 0 || view.lens.at !== null) return;
    setText(this.news, news.map((alert) => view.t("feed.newCritical", { alert: title(view, alert) })).join(" "));
    this.drawer.say(this.news.textContent ?? "");
    this.sound.play();
  }

  private showMore(): void {
    if (isNarrow()) {
      this.all = true;
      this.redraw();
      return;
    }
    const first = this.places[this.fitting];
    if (first !== undefined) this.focus(first.alert.id);
  }

  private pressed(event: KeyboardEvent): void {
    const by = { ArrowDown: 1, ArrowUp: -1, Home: -this.places.length, End: this.places.length }[event.key];
    if (by === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    this.move(by);
  }

  /** To another alert of the feed; the first press goes to the first one. */
  private move(by: number): void {
    const ids = [...this.cards.keys()].filter((id) => this.cards.get(id)?.element.isConnected);
    const order = this.places.map(({ alert }) => alert.id).filter((id) => ids.includes(id));
    const inside = this.list.contains(document.activeElement);
    const from = inside && this.current !== null ? order.indexOf(this.current) : -1;
    const to = from < 0 ? 0 : Math.min(order.length - 1, Math.max(0, from + by));
    const id = order[to];
    if (id !== undefined) this.focus(id);
  }

  private stepFrom(id: string, by: 1 | -1): void {
    const order = this.places.map(({ alert }) => alert.id);
    const next = order[order.indexOf(id) + by];
    if (next !== undefined && order.includes(id)) this.drawer.open(next);
  }

  private focus(id: string): void {
    this.current = id;
    this.redraw();
    const card = this.cards.get(id);
    card?.open.focus({ preventScroll: true });
    card?.element.scrollIntoView({ block: "nearest" });
  }

  /** What a key does goes to the chosen alert; where none is chosen, the key chooses and does no more. */
  private onChosen(run: (alert: FeedAlert) => void): void {
    if (this.current !== null && this.list.contains(document.activeElement)) this.with(this.current, run);
    else this.move(0);
  }

  private with(id: string, run: (alert: FeedAlert) => void): void {
    const alert = this.view === null ? undefined : told(this.view.board.alerts).find((each) => each.id === id);
    if (alert !== undefined) run(alert);
  }

  private redraw(): void {
    if (this.view !== null) this.update(this.view);
  }
}
