import { epoch } from "../core/time.ts";
import { el, setText } from "../ui/dom.ts";
import { button, Dialog } from "./dialog.ts";
import { failureText, labelName, labelValue, title } from "./naming.ts";
import { endOf, matchersOf, newSilence, SPANS, USUAL_SPAN, type Span } from "./silence.ts";
import type { Acting } from "./acting.ts";
import type { FeedAlert, NewSilence } from "./model.ts";
import type { View } from "../ui/panel.ts";

const LONGEST_COMMENT = 2000;

/** Mutes what is like an alert, for a while. What was typed stays until the server has taken it. */
export class SilenceDialog {
  private readonly dialog = new Dialog("silence-dialog");
  readonly element = this.dialog.element;
  private readonly title = el("h2", "dialog-title");
  private readonly explain = el("p", "dialog-hint");
  private readonly what = el("fieldset", "choices");
  private readonly length = el("fieldset", "choices");
  private readonly label = el("label", "field-label");
  private readonly comment = el("textarea", "field");
  private readonly who = button("press press-plain", () => void this.rename());
  private readonly problem = el("p", "failure");
  private readonly save = el("button", "press press-main");
  private readonly cancel = button("press", () => this.dialog.close());
  private alert: FeedAlert | null = null;
  private view: View | null = null;
  /** What was sent last: the same again must be the same to the server. */
  private asked: NewSilence | null = null;

  constructor(
    private readonly acting: Acting,
    private readonly name: (always: boolean) => Promise<string | null>,
    private readonly nameNow: () => string | null,
    private readonly done: () => void,
  ) {
    this.comment.id = "silence-comment";
    this.comment.rows = 2;
    this.comment.maxLength = LONGEST_COMMENT;
    this.label.htmlFor = this.comment.id;
    this.problem.setAttribute("aria-live", "assertive");
    const form = el("form", "form", this.explain, this.what, this.length, this.label, this.comment, this.problem, el("div", "presses", this.save, this.cancel, this.who));
    form.noValidate = true;
    form.addEventListener("input", () => {
      this.asked = null;
    });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.submit();
    });
    this.dialog.body.append(this.title, form);
  }

  open(view: View, alert: FeedAlert): void {
    this.acting.forget("silence", alert.id);
    this.alert = alert;
    this.view = view;
    this.asked = null;
    this.comment.value = "";
    this.drawChoices(view, alert);
    this.update(view);
    this.dialog.show(this.title);
    this.length.querySelector<HTMLInputElement>("input:checked")?.focus();
  }

  update(view: View): void {
    if (this.alert === null) return;
    this.view = view;
    const act = this.acting.of("silence", this.alert.id);
    setText(this.title, `${view.t("silence.title")} · ${title(view, this.alert)}`);
    setText(this.explain, view.t("silence.explain"));
    setText(this.label, view.t("silence.comment"));
    setText(this.cancel, view.t("acting.cancel"));
    const name = this.nameNow();
    setText(this.who, name === null ? view.t("acting.nobody") : view.t("acting.as", { name }));
    this.save.disabled = act?.phase === "sending";
    setText(this.save, view.t(act?.phase === "sending" ? "acting.sending" : act?.phase === "failed" ? "acting.again" : "acting.silence"));
    if (act?.failure) setText(this.problem, failureText(view, act.failure));
  }

  private drawChoices(view: View, alert: FeedAlert): void {
    const end = epoch(view.board.campaign?.end);
    this.what.replaceChildren(
      el("legend", "field-label", view.t("silence.what")),
      ...Object.entries(matchersOf(alert)).map(([name, value]) => choice("checkbox", "matcher", name, true, `${labelName(view, name)}: ${labelValue(view, name, value)}`)),
    );
    this.length.replaceChildren(
      el("legend", "field-label", view.t("silence.howLong")),
      ...SPANS.filter((span) => endOf(span, view.now, end) !== null).map((span) =>
        choice("radio", "span", span, span === USUAL_SPAN, view.t(`silence.${span}`)),
      ),
    );
    setText(this.problem, "");
  }

  private async rename(): Promise<void> {
    await this.name(true);
    this.asked = null;
    if (this.view !== null) this.update(this.view);
  }

  private async submit(): Promise<void> {
    const { alert } = this;
    if (alert === null || this.view === null) return;
    const by = await this.name(false);
    // Asked for now: the clock went on while the name was typed.
    const { view } = this;
    if (by === null) return;
    const chosen = new Set([...this.what.querySelectorAll<HTMLInputElement>("input:checked")].map(({ value }) => value));
    if (chosen.size === 0) {
      setText(this.problem, view.t("silence.nothing"));
      return;
    }
    const span = (this.length.querySelector<HTMLInputElement>("input:checked")?.value ?? USUAL_SPAN) as Span;
    const endsAt = endOf(span, view.now, epoch(view.board.campaign?.end));
    if (endsAt === null) return;
    const matchers = Object.fromEntries(Object.entries(matchersOf(alert)).filter(([name]) => chosen.has(name)));
    this.asked ??= newSilence(matchers, endsAt, by, this.comment.value);
    setText(this.problem, "");
    if (await this.acting.silence(alert.id, this.asked)) {
      this.dialog.close();
      this.done();
    }
  }
}

function choice(type: "checkbox" | "radio", name: string, value: string, checked: boolean, text: string): HTMLElement {
  const input = el("input");
  input.type = type;
  input.name = name;
  input.value = value;
  input.checked = checked;
  return el("label", "choice", input, el("span", "", text));
}
