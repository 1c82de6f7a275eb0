import { el, setAttribute, setText, syncChildren } from "../ui/dom.ts";
import type { Panel, View } from "../ui/panel.ts";
import { DIMENSIONS, type Dimension } from "../core/lens.ts";
import { valueName } from "../i18n.ts";

/** What the whole page is filtered by, and the way back. */
export class Crumbs implements Panel {
  readonly element = el("nav", "crumbs");
  private readonly all = el("button", "crumb crumb-all");
  private readonly list = el("ol", "crumb-list");
  private view: View | null = null;

  constructor() {
    this.all.type = "button";
    this.all.addEventListener("click", () => this.view?.act.unfilter(null));
    this.element.append(this.all, this.list);
    this.list.addEventListener("click", (event) => {
      const dimension = event.target instanceof Element ? event.target.closest("button")?.dataset["dimension"] : undefined;
      if (dimension !== undefined) this.view?.act.unfilter(dimension as Dimension);
    });
  }

  update(view: View): void {
    this.view = view;
    const { filters } = view.lens;
    const set = DIMENSIONS.filter((dimension) => filters[dimension] !== undefined);
    this.element.hidden = set.length === 0;
    setAttribute(this.element, "aria-label", view.t("crumbs.label"));
    setText(this.all, view.t("crumbs.all"));
    syncChildren(this.list, set.length, createCrumb, (item, index) => {
      const dimension = set[index];
      const button = item.firstElementChild;
      if (dimension === undefined || !(button instanceof HTMLElement)) return;
      const text = `${view.t(`dimension.${dimension}`)}: ${valueName(view.locale, dimension, filters[dimension] ?? "")}`;
      button.dataset["dimension"] = dimension;
      setText(button, text);
      setAttribute(button, "aria-label", view.t("crumbs.remove", { filter: text }));
    });
  }
}

function createCrumb(): HTMLElement {
  const button = el("button", "crumb");
  button.type = "button";
  return el("li", "", button);
}
