import { el, setAttribute, setText } from "../ui/dom.ts";
import type { Panel, View } from "../ui/panel.ts";
import { noteFor } from "../core/note.ts";

/** What the campaign says of its own data, above all which part of it is simulated. */
export class Note implements Panel {
  readonly element = el("footer", "note");
  private readonly label = el("span", "note-label");
  private readonly text = el("span", "note-text");

  constructor() {
    this.element.append(this.label, this.text);
    this.element.hidden = true;
  }

  update(view: View): void {
    const note = view.board.campaign?.note ?? "";
    this.element.hidden = note === "";
    setText(this.label, view.t("note.label"));
    setText(this.text, noteFor(view.locale, note));
    setAttribute(this.text, "title", note);
  }
}
