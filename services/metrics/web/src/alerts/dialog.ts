import { el } from "../ui/dom.ts";

/**
 * A modal dialog: the browser keeps the focus inside and gives it back to where it was. A press beside it closes it, as
 * the Escape key does. Its `status` is read out while everything behind it is silent.
 */
export class Dialog {
  readonly element: HTMLDialogElement;
  readonly body = el("div", "dialog-body");
  readonly status = el("p", "unseen");

  constructor(name: string, onClose: () => void = () => undefined) {
    this.element = el("dialog", `dialog ${name}`, this.body, this.status);
    this.status.setAttribute("role", "status");
    // By where the press began: text that is marked past the edge must not close what it was typed into.
    this.element.addEventListener("pointerdown", (event) => {
      const { left, right, top, bottom } = this.element.getBoundingClientRect();
      const { clientX: x, clientY: y } = event;
      if (event.target === this.element && (x < left || x > right || y < top || y > bottom)) this.element.close();
    });
    this.element.addEventListener("close", onClose);
  }

  get isOpen(): boolean {
    return this.element.open;
  }

  /** `label` is the element that names it. */
  show(label: HTMLElement): void {
    label.id ||= `${this.element.className.replaceAll(" ", "-")}-title`;
    this.element.setAttribute("aria-labelledby", label.id);
    if (!this.element.open) this.element.showModal();
  }

  close(): void {
    if (this.element.open) this.element.close();
  }
}

/** A button that does not submit a form. */
export function button(className: string, press: () => void): HTMLButtonElement {
  const element = el("button", className);
  element.type = "button";
  element.addEventListener("click", press);
  return element;
}

/** Looks and reads as disabled, and can still be reached and say why. */
export function setBlocked(element: HTMLElement, why: string | null): void {
  if (why === null) {
    element.removeAttribute("aria-disabled");
    element.removeAttribute("title");
  } else {
    element.setAttribute("aria-disabled", "true");
    element.title = why;
  }
}
