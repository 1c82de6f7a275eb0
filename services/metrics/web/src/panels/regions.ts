import { el, setAttribute, setClass, setText, setVariable, syncChildren } from "../ui/dom.ts";
import { filterOffer, offerFilter } from "../ui/filtering.ts";
import { emptyLine, frame, showEmpty, type Panel, type View } from "../ui/panel.ts";
import { regionShares, type RegionShare } from "../core/shares.ts";
import { squarify, type Tile } from "../core/treemap.ts";
import { textEms } from "../core/marks.ts";
import { regionName } from "../i18n.ts";

const MOST_TILES = 12;
/** Smaller ones, in square rem, could not carry a name. */
const LEAST_AREA = 4;
const SMALL_REM = 0.8;
const NAME_REM = 1.05;
/** Semibold letters are wider than the plain ones that are measured by. */
const BOLD = 1.06;

/**
 * Where the money comes from: tiles as large as what came. No map: regions are of anywhere, and a map of China that may
 * be shown there needs an approval that no package on npm has.
 */
export class Regions implements Panel {
  readonly element: HTMLElement;
  private readonly frame = frame("regions");
  private readonly count = el("span", "aside-value");
  private readonly map = el("ul", "region-map");
  private readonly empty = emptyLine();

  constructor() {
    this.element = this.frame.element;
    this.frame.aside.append(this.count);
    this.frame.body.append(this.map, this.empty);
  }

  update(view: View): void {
    this.frame.title(view.t("regions.title"));
    this.frame.trust(view, "regions");
    const rows = view.board.regions ?? [];
    const { clientWidth, clientHeight } = this.map;
    const aspect = clientHeight > 0 ? clientWidth / clientHeight : 2;
    const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
    const size = { width: clientWidth / rem, height: clientHeight / rem };
    const least = LEAST_AREA / Math.max(1, size.width * size.height);
    const { tiles: shares, rest } = regionShares(rows, MOST_TILES, least);
    const tiles = squarify(shares, ({ gmv }) => gmv, aspect);
    showEmpty(this.empty, tiles.length === 0 ? view.t("empty") : null);
    setText(this.count, rest.count === 0 ? "" : view.t("regions.rest", { count: rest.count, amount: view.fmt.amount(rest.gmv.toFixed(2)) }));
    syncChildren(this.map, tiles.length, createTile, (element, index) => {
      const tile = tiles[index];
      if (tile !== undefined) updateTile(element, view, tile, size);
    });
  }
}

function createTile(): HTMLElement {
  // The blank keeps name and amount two words for a reader.
  return el("li", "region", el("div", "region-tile", el("span", "region-name"), " ", el("span", "region-value")));
}

function updateTile(element: HTMLElement, view: View, tile: Tile<RegionShare>, size: { width: number; height: number }): void {
  const button = element.firstElementChild as HTMLElement;
  const [name, value] = [...button.children];
  if (name === undefined || value === undefined) return;
  const { region, exact, share } = tile.item;
  const text = regionName(view.locale, region);
  const amount = view.fmt.amount(exact);
  const width = tile.width * size.width - 1.1;
  const height = tile.height * size.height - 0.55;
  setVariable(element, "--left", String(tile.left));
  setVariable(element, "--top", String(tile.top));
  setVariable(element, "--width", String(tile.width));
  setVariable(element, "--height", String(tile.height));
  setVariable(button, "--strength", `${Math.round(18 + Math.min(1, share / 0.3) * 34)}%`);
  // The code of the region stands where its name has no room, and nothing where neither has.
  const shown = [text, region].find((each) => width + 0.3 >= textEms(each) * BOLD * SMALL_REM) ?? "";
  const needs = textEms(shown) * BOLD;
  setVariable(button, "--name", `${Math.min(NAME_REM, Math.max(SMALL_REM, width / needs)).toFixed(2)}rem`);
  setText(name, height < 1.35 * SMALL_REM ? "" : shown);
  setText(value, height < 2.3 || width < textEms(amount) * 0.95 ? "" : amount);
  setAttribute(button, "title", `${text} ${amount} · ${view.fmt.percent(share, 1)}`);
  const offer = filterOffer(view, "region", region);
  // What is seen is part of what is read out, so that a voice can name it.
  setAttribute(button, "aria-label", shown === region ? `${text} ${region} ${amount}` : `${text} ${amount}`);
  offerFilter(button, offer);
  const small = width < needs * 1.05 || height < 1.45;
  setClass(button, `region-tile${offer.pressed ? " chosen" : ""}${small ? " small" : ""}`);
}
