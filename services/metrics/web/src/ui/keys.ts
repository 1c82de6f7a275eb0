import { el, setText } from "./dom.ts";
import type { View } from "./panel.ts";
import type { Key } from "../i18n.ts";

interface Binding {
  readonly key: string;
  readonly does: Key;
  run(): void;
}

const NAMES: Readonly<Record<string, string>> = { " ": "␣", Escape: "Esc", ArrowLeft: "←", ArrowRight: "→" };

/** Keys of one press, for those who stand at a keyboard in front of the wall; `?` lists them. */
export class Keys {
  readonly element = el("dialog", "dialog keys");
  private readonly title = el("h2", "dialog-title");
  private readonly list = el("dl", "keys-list");
  private readonly bindings: Binding[] = [];
  private view: View | null = null;

  constructor() {
    this.element.append(this.title, this.list);
    this.element.setAttribute("aria-labelledby", "keys-title");
    this.title.id = "keys-title";
    this.element.addEventListener("click", (event) => {
      if (event.target === this.element) this.element.close();
    });
    this.bind("?", "keys.help", () => this.help());
    document.addEventListener("keydown", (event) => this.pressed(event));
  }

  /** One key, as `KeyboardEvent.key` names it; letters in lower case. */
  bind(key: string, does: Key, run: () => void): void {
    this.bindings.push({ key, does, run });
  }

  update(view: View): void {
    this.view = view;
  }

  private pressed(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (document.querySelector("dialog[open]") !== null) return;
    const target = event.target;
    if (target instanceof HTMLElement && (target.isContentEditable || target.matches("input, select, textarea, [role=slider]"))) return;
    // The space bar presses what has the focus.
    if (event.key === " " && target instanceof HTMLElement && target.matches("button, a, [role=button]")) return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const binding = this.bindings.find((each) => each.key === key);
    if (binding === undefined) return;
    event.preventDefault();
    binding.run();
  }

  private help(): void {
    const { view } = this;
    if (view === null) return;
    setText(this.title, view.t("keys.title"));
    this.list.replaceChildren(
      ...this.bindings.flatMap(({ key, does }) => [el("dt", "", el("kbd", "", NAMES[key] ?? key.toUpperCase())), el("dd", "", view.t(does))]),
    );
    this.element.showModal();
  }
}
