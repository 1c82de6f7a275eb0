import { DIMENSIONS, type Dimension } from "../core/lens.ts";
import { setAttribute } from "./dom.ts";
import type { Actions, View } from "./panel.ts";

/** A value that the page can be filtered by. */
export interface FilterOffer {
  readonly dimension: Dimension;
  readonly value: string;
  /** Whether the page shows just that already. */
  readonly pressed: boolean;
}

export function filterOffer(view: View, dimension: Dimension, value: string): FilterOffer {
  return { dimension, value, pressed: view.lens.filters[dimension] === value };
}

/** Makes an element a button that filters the page, or takes that from it. */
export function offerFilter(element: HTMLElement, offer: FilterOffer | null): void {
  setAttribute(element, "data-filter", offer?.dimension ?? null);
  setAttribute(element, "data-value", offer?.value ?? null);
  setAttribute(element, "role", offer === null ? null : "button");
  setAttribute(element, "tabindex", offer === null ? null : "0");
  setAttribute(element, "aria-pressed", offer === null ? null : String(offer.pressed));
}

/** One ear for all of them: a press anywhere on a row counts for the button in it. */
export function listenForFilters(root: HTMLElement, act: Actions): void {
  const apply = (target: EventTarget | null): boolean => {
    if (!(target instanceof Element)) return false;
    const button = target.closest("[data-filter]") ?? target.closest("tr.filterable")?.querySelector("[data-filter]");
    const dimension = button?.getAttribute("data-filter");
    const value = button?.getAttribute("data-value");
    if (!isDimension(dimension) || value === null || value === undefined) return false;
    act.filter(dimension, value);
    return true;
  };
  root.addEventListener("click", (event) => apply(event.target));
  root.addEventListener("keydown", (event) => {
    if ((event.key === "Enter" || event.key === " ") && event.target instanceof Element && event.target.matches("[data-filter]:not(button)")) {
      if (apply(event.target)) event.preventDefault();
    }
  });
}

function isDimension(name: string | null | undefined): name is Dimension {
  return (DIMENSIONS as readonly (string | null | undefined)[]).includes(name);
}
