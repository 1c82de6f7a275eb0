import { el, setText } from "../ui/dom.ts";
import { button, Dialog } from "./dialog.ts";
import { failureText, labelName, labelValue, moment } from "./naming.ts";
import { inForce, matcherText } from "./silence.ts";
import { syncKeyed } from "../ui/keyed.ts";
import type { Acting } from "./acting.ts";
import type { AlertsApi } from "./api.ts";
import type { Matchers, Silence } from "./model.ts";
import type { Failure } from "./outcome.ts";
import type { View } from "../ui/panel.ts";

const EVERY_MS = 15_000;

/** The silences in force, asked for now and then: no stream tells of them. By them it is known whether one can act. */
export class Silences {
  private readonly dialog = new Dialog("silences-dialog");
  readonly element = this.dialog.element;
  private readonly title = el("h2", "dialog-title");
  private readonly problem = el("p", "failure");
  private readonly empty = el("p", "dialog-hint");
  private readonly list = el("ul", "silence-list");
  private readonly close = button("press", () => this.dialog.close());
  private known: readonly Silence[] = [];
  private failure: Failure | null = null;
  private asking = false;
  private timer: number | undefined;

  constructor(
    private readonly api: AlertsApi,
    private readonly acting: Acting,
    private readonly name: (always: boolean) => Promise<string | null>,
    private readonly changed: () => void,
  ) {
    this.problem.setAttribute("aria-live", "assertive");
    this.dialog.body.append(this.title, this.problem, this.empty, this.list, el("div", "presses", this.close));
  }

  /** Asks now and goes on asking. */
  start(): void {
    void this.read();
  }

  /** No alerts service answers behind this address. */
  get unreachable(): boolean {
    return this.failure?.why === "noService";
  }

  count(now: number): number {
    return inForce(this.known, now).length;
  }

  async read(): Promise<void> {
    window.clearTimeout(this.timer);
    if (!this.asking && !document.hidden) {
      this.asking = true;
      const outcome = await this.api.silences();
      this.asking = false;
      this.failure = outcome.ok ? null : outcome.failure;
      if (outcome.ok) this.known = outcome.answer;
      this.changed();
    }
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => void this.read(), EVERY_MS * (0.75 + Math.random() / 2));
  }

  open(view: View): void {
    this.update(view, null);
    this.dialog.show(this.title);
    this.close.focus();
    void this.read();
  }

  /** `blocked`: why nobody can end one here. */
  update(view: View, blocked: string | null): void {
    const silences = inForce(this.known, view.now);
    setText(this.title, view.t("silence.list"));
    setText(this.close, view.t("acting.close"));
    setText(this.problem, this.failure === null ? "" : view.t("silence.unread", { why: failureText(view, this.failure) }));
    this.empty.hidden = silences.length > 0 || this.failure !== null;
    setText(this.empty, view.t("silence.none"));
    syncKeyed(
      this.list,
      silences.map(({ id }) => id),
      (id) => this.createRow(id),
      (row, index) => {
        const silence = silences[index];
        if (silence !== undefined) this.updateRow(row, view, silence, blocked);
      },
    );
  }

  private createRow(id: string): HTMLElement {
    const failure = el("p", "failure");
    failure.setAttribute("aria-live", "assertive");
    return el("li", "silence", el("p", "silence-what"), el("p", "silence-who"), button("press", () => void this.end(id)), failure);
  }

  private updateRow(row: HTMLElement, view: View, silence: Silence, blocked: string | null): void {
    const [what, who, end, failure] = [...row.children] as HTMLElement[];
    if (!what || !who || !(end instanceof HTMLButtonElement) || !failure) return;
    setText(what, matchersText(view, silence.matchers));
    const parts = [
      view.t("silence.until", { time: moment(view, silence.ends_at) }),
      silence.state === "pending" ? view.t("silence.pending") : "",
      view.t("silence.by", { name: silence.by }),
      // What people write may hold figures.
      view.fmt.hidden ? "" : silence.comment,
    ];
    setText(who, parts.filter((part) => part !== "").join(" · "));
    const act = this.acting.of("end", silence.id);
    end.disabled = act?.phase === "sending" || act?.phase === "sent" || blocked !== null;
    setText(end, view.t(end.disabled && blocked === null ? "acting.sending" : "silence.end"));
    setText(failure, act?.failure ? failureText(view, act.failure) : (blocked ?? ""));
  }

  private async end(id: string): Promise<void> {
    const silence = this.known.find((each) => each.id === id);
    const by = silence === undefined ? null : await this.name(false);
    if (silence === undefined || by === null) return;
    await this.acting.end(silence, by);
    await this.read();
  }
}

function matchersText(view: View, matchers: Matchers): string {
  return Object.entries(matchers)
    .map(([name, matcher]) => `${labelName(view, name)}: ${typeof matcher === "string" ? labelValue(view, name, matcher) : matcherText(matcher)}`)
    .join(" · ");
}
