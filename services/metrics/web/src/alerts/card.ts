import { lastChange } from "../core/alerts.ts";
import { clockTime, epoch } from "../core/time.ts";
import { el, setAttribute, setClass, setText } from "../ui/dom.ts";
import { translateName } from "../i18n.ts";
import { button, setBlocked } from "./dialog.ts";
import { culprit, failureText, MARKS, ruleName, ticking } from "./naming.ts";
import { summaryOf } from "./texts.ts";
import type { Act } from "./acting.ts";
import type { FeedAlert } from "./model.ts";
import type { View } from "../ui/panel.ts";

export interface CardPresses {
  open(id: string): void;
  acknowledge(id: string): void;
  silence(id: string): void;
  fold(id: string): void;
}

/** What stands around an alert in the feed. */
export interface CardState {
  readonly alert: FeedAlert;
  /** How many others are folded under it. */
  readonly members: number;
  readonly unfolded: boolean;
  /** It stands under the one that leads its incident. */
  readonly member: boolean;
  readonly act: Act | null;
  readonly blocked: string | null;
  /** Whether the one who looks may act on it at all. */
  readonly may: boolean;
}

/** One alert of the feed. Its name is the button that opens it; the rest of the card counts as that button too. */
export class Card {
  readonly element = el("li", "alert");
  readonly open: HTMLButtonElement;
  private readonly mark = el("span", "alert-mark");
  private readonly rule = el("span", "alert-rule");
  private readonly labels = el("span", "alert-labels");
  private readonly fold: HTMLButtonElement;
  private readonly state = el("span", "alert-state");
  private readonly age = el("span", "alert-age");
  private readonly summary = el("p", "alert-summary");
  private readonly facts = el("span", "alert-facts");
  private readonly failure = el("span", "failure");
  private readonly acknowledge: HTMLButtonElement;
  private readonly silence: HTMLButtonElement;

  constructor(id: string, presses: CardPresses) {
    this.element.dataset["alert"] = id;
    this.open = button("alert-open", () => presses.open(id));
    this.open.append(this.rule, this.labels);
    this.open.tabIndex = -1;
    this.fold = button("alert-fold", () => presses.fold(id));
    this.acknowledge = button("press press-small", () => presses.acknowledge(id));
    this.silence = button("press press-small", () => presses.silence(id));
    this.acknowledge.dataset["action"] = "acknowledge";
    this.silence.dataset["action"] = "silence";
    this.failure.setAttribute("aria-live", "assertive");
    this.mark.setAttribute("role", "img");
    const actions = el("span", "alert-actions", this.acknowledge, this.silence);
    this.element.append(this.mark, this.open, this.fold, this.state, this.age, el("div", "alert-second", this.summary, this.facts, this.failure, actions));
  }

  update(view: View, state: CardState, reachable: boolean): void {
    const { alert, act } = state;
    const sending = act?.phase === "sending" || act?.phase === "sent";
    const mute = alert.mute ?? "";
    const looks = ["alert", `severity-${alert.severity}`, `state-${alert.state}`];
    if (state.member) looks.push("alert-member");
    if (mute !== "" && alert.state !== "resolved") looks.push("alert-muted");
    setClass(this.element, looks.join(" "));
    setText(this.mark, MARKS[alert.severity]);
    setAttribute(this.mark, "aria-label", view.t(`severity.${alert.severity}`));
    setText(this.rule, ruleName(view, alert.rule));
    setText(this.labels, culprit(view, alert));
    this.open.tabIndex = reachable ? 0 : -1;
    this.fold.hidden = state.members === 0;
    setText(this.fold, view.t("feed.members", { count: state.members }));
    setAttribute(this.fold, "aria-expanded", String(state.unfolded));
    setAttribute(this.fold, "title", view.t("feed.fold"));
    setText(this.state, sending && alert.state === "firing" ? view.t("acting.sending") : view.t(`state.${alert.state}`));
    this.state.classList.toggle("is-sending", sending);
    setText(this.age, ticking(view, view.now - lastChange(alert)));
    // A summary is made of figures.
    const said = view.fmt.hidden ? "" : summaryOf(alert, view.locale);
    setText(this.summary, said);
    setAttribute(this.summary, "title", said === "" ? null : said);
    setText(this.facts, factsOf(view, alert).join(" · "));
    this.element.classList.toggle("has-failed", act?.phase === "failed");
    setText(this.failure, act?.failure ? failureText(view, act.failure) : "");
    this.updateActions(view, state);
  }

  private updateActions(view: View, { alert, act, blocked, may }: CardState): void {
    const firing = alert.state === "firing";
    this.acknowledge.hidden = !firing || !may;
    this.silence.hidden = alert.state === "resolved" || !may;
    this.acknowledge.disabled = act?.phase === "sending" || act?.phase === "sent";
    setText(this.acknowledge, view.t(act?.phase === "failed" ? "acting.again" : "acting.acknowledge"));
    setText(this.silence, view.t("acting.silence"));
    for (const each of [this.acknowledge, this.silence]) setBlocked(each, blocked);
  }
}

function factsOf(view: View, alert: FeedAlert): readonly string[] {
  const facts: string[] = [];
  const taken = epoch(alert.acknowledged_at);
  if (alert.acknowledged_by) {
    facts.push(view.t("feed.by", { name: alert.acknowledged_by, time: taken === null ? "" : clockTime(taken, view.zone).slice(0, 5) }));
  } else if (alert.owner && alert.state !== "resolved") {
    facts.push(view.t("feed.owner", { owner: alert.owner }));
  }
  if (alert.impact && alert.state !== "resolved") {
    facts.push(view.t("feed.loss", { amount: view.fmt.amount(alert.impact.loss_per_minute) }));
  }
  if (alert.mute && alert.state !== "resolved") facts.push(translateName(view.locale, "mute", alert.mute));
  return facts;
}
