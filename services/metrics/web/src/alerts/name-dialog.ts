import { el, setText } from "../ui/dom.ts";
import { button, Dialog } from "./dialog.ts";
import { validName, type Operator } from "./operator.ts";
import type { View } from "../ui/panel.ts";

/** Asks who acts here. */
export class NameDialog {
  private readonly dialog = new Dialog("name-dialog", () => this.settle());
  readonly element = this.dialog.element;
  private readonly title = el("h2", "dialog-title");
  private readonly input = el("input", "field");
  private readonly label = el("label", "field-label");
  private readonly hint = el("p", "dialog-hint");
  private readonly problem = el("p", "failure");
  private readonly save = el("button", "press press-main");
  private readonly cancel = button("press", () => this.dialog.close());
  private resolve: ((name: string | null) => void) | null = null;
  private chosen: string | null = null;

  constructor(private readonly operator: Operator) {
    this.input.id = "operator-name";
    this.input.autocomplete = "name";
    this.label.htmlFor = this.input.id;
    this.problem.setAttribute("aria-live", "assertive");
    const form = el("form", "form", this.label, this.input, this.hint, this.problem, el("div", "presses", this.save, this.cancel));
    form.noValidate = true;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.submit();
    });
    this.dialog.body.append(this.title, form);
  }

  /** The name, or null when nobody gave one. */
  ask(view: View): Promise<string | null> {
    this.settle();
    setText(this.title, view.t("acting.changeName"));
    setText(this.label, view.t("acting.name"));
    setText(this.hint, view.t("acting.nameHint"));
    setText(this.save, view.t("acting.nameSave"));
    setText(this.cancel, view.t("acting.cancel"));
    setText(this.problem, "");
    this.problem.dataset["text"] = view.t("acting.nameInvalid");
    this.input.value = this.operator.name ?? "";
    this.chosen = null;
    this.dialog.show(this.title);
    this.input.focus();
    this.input.select();
    return new Promise((resolve) => {
      this.resolve = resolve;
    });
  }

  private submit(): void {
    const name = validName(this.input.value);
    if (name === null) {
      setText(this.problem, this.problem.dataset["text"] ?? "");
      this.input.focus();
      return;
    }
    this.operator.name = name;
    this.chosen = name;
    this.dialog.close();
  }

  private settle(): void {
    this.resolve?.(this.chosen);
    this.resolve = null;
  }
}
