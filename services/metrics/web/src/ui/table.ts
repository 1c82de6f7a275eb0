import { el, setAttribute, setClass, setText, setVariable, syncChildren } from "./dom.ts";
import { splitTail } from "../core/shares.ts";
import { offerFilter, type FilterOffer } from "./filtering.ts";

/** Signs at the end of an id that are never cut. */
const ID_TAIL = 7;

/** One cell: what it says, and optionally how long its bar is, what is said on pointing at it, and a tone. */
export interface Cell {
  readonly text: string;
  readonly share?: number;
  readonly title?: string;
  readonly tone?: "" | "critical" | "warning" | "muted";
  /** The text is an id: where it is cut, its end stays, which tells ids of one series apart. */
  readonly id?: boolean;
  /** On the first cell of a row: what pressing the row shows. */
  readonly filter?: FilterOffer;
}

/** A table whose rows and cells are kept between updates. The first column names the row. */
export class DataTable {
  readonly element: HTMLTableElement;
  private readonly head = el("tr");
  private readonly body = el("tbody");

  constructor(className: string) {
    this.element = el("table", `data ${className}`, el("thead", "", this.head), this.body);
  }

  update(headings: readonly string[], rows: readonly (readonly Cell[])[]): void {
    this.element.hidden = rows.length === 0;
    syncChildren(
      this.head,
      headings.length,
      () => {
        const cell = el("th");
        cell.scope = "col";
        return cell;
      },
      (cell, index) => setText(cell, headings[index] ?? ""),
    );
    syncChildren(
      this.body,
      rows.length,
      () => el("tr"),
      (row, index) => {
        const cells = rows[index] ?? [];
        syncChildren(row, cells.length, createCell, (element, column) => updateCell(element, cells[column]));
        const offer = cells[0]?.filter ?? null;
        const name = row.querySelector<HTMLElement>(".cell-text");
        if (name !== null) offerFilter(name, offer);
        setClass(row, offer === null ? "" : offer.pressed ? "filterable chosen" : "filterable");
      },
    );
  }
}

function createCell(): HTMLTableCellElement {
  return el("td", "", el("span", "cell-text", el("span", "cell-head"), el("span", "cell-tail")), el("div", "cell-bar"));
}

function updateCell(element: HTMLTableCellElement, cell: Cell | undefined): void {
  const [text, bar] = [...element.children] as HTMLElement[];
  if (cell === undefined || text === undefined || bar === undefined) return;
  const [head, tail] = [...text.children];
  const [start, end] = cell.id === true ? splitTail(cell.text, ID_TAIL) : [cell.text, ""];
  if (head !== undefined) setText(head, start);
  if (tail !== undefined) setText(tail, end);
  setAttribute(element, "title", cell.title ?? (element.cellIndex === 0 ? cell.text : null));
  bar.hidden = cell.share === undefined;
  if (cell.share !== undefined) setVariable(bar, "--share", String(cell.share));
  setClass(element, cell.tone ? `tone-${cell.tone}` : "");
}
