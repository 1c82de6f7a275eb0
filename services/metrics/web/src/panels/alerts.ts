import { el, setAttribute, setClass, setText, syncChildren } from "../ui/dom.ts";
import { fittingHeights } from "../ui/fit.ts";
import { emptyLine, frame, showEmpty, type Panel, type View } from "../ui/panel.ts";
import { countFiring, lastChange, orderAlerts, shownLabels } from "../core/alerts.ts";
import { roughSpan } from "../ui/words.ts";
import { translateName } from "../i18n.ts";
import type { Alert, AlertState, Severity } from "../feed/types.ts";

/** Heights with the gap below: what fires gets two lines for its words, what is over gets one line in all. */
const CARD_REM: Readonly<Record<AlertState, number>> = { firing: 4.3, acknowledged: 3.15, pending: 3.15, resolved: 2.05 };
const MOST_ON_PHONE = 12;

/** Shapes as well as colours, so that no severity is told by colour alone. */
const MARKS: Readonly<Record<Severity, string>> = { critical: "▲", warning: "◆", info: "●" };

/** What needs a human, the gravest first; what is over stays for a while, and looks it. */
export class Alerts implements Panel {
  readonly element: HTMLElement;
  private readonly frame = frame("alerts");
  private readonly count = el("span", "alert-counts");
  private readonly list = el("ul", "alert-list");
  private readonly more = el("span", "alert-more");
  private readonly empty = emptyLine();

  constructor() {
    this.element = this.frame.element;
    this.frame.aside.append(this.more, this.count);
    this.frame.body.append(this.list, this.empty);
    this.list.setAttribute("aria-live", "polite");
  }

  update(view: View): void {
    this.frame.title(view.t("alerts.title"));
    const alerts = orderAlerts(view.board.alerts ?? []);
    showEmpty(this.empty, alerts.length === 0 ? view.t("alerts.none") : null);
    this.updateCounts(view, alerts);
    const heights = alerts.map(({ state }) => CARD_REM[state]);
    const shown = alerts.slice(0, fittingHeights(this.frame.body, heights, MOST_ON_PHONE));
    const rest = alerts.length - shown.length;
    this.more.hidden = rest === 0;
    setText(this.more, view.t("alerts.more", { count: rest }));
    syncChildren(this.list, shown.length, createCard, (card, index) => {
      const alert = shown[index];
      if (alert !== undefined) updateCard(card, view, alert);
    });
  }

  private updateCounts(view: View, alerts: readonly Alert[]): void {
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
}

function createCard(): HTMLElement {
  return el(
    "li",
    "alert",
    el("span", "alert-mark"),
    el("span", "alert-rule"),
    el("span", "alert-labels"),
    el("span", "alert-state"),
    el("span", "alert-age"),
    el("span", "alert-summary"),
  );
}

function updateCard(card: HTMLElement, view: View, alert: Alert): void {
  const [mark, rule, labels, state, age, summary] = [...card.children] as HTMLElement[];
  if (!mark || !rule || !labels || !state || !age || !summary) return;
  setClass(card, `alert severity-${alert.severity} state-${alert.state}`);
  card.dataset["alert"] = alert.id;
  setText(mark, MARKS[alert.severity]);
  setAttribute(mark, "aria-label", view.t(`severity.${alert.severity}`));
  setText(rule, translateName(view.locale, "rule", alert.rule));
  setText(labels, shownLabels(alert).map(([, value]) => value).join(" · "));
  setAttribute(labels, "title", shownLabels(alert).map(([name, value]) => `${name}=${value}`).join(", "));
  setText(state, view.t(`state.${alert.state}`));
  setText(age, roughSpan(view, view.now - lastChange(alert)));
  setText(summary, alert.summary ?? "");
  setAttribute(summary, "title", alert.summary ?? null);
}
