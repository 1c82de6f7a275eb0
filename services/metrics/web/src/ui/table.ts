import { el, setClass, setText, setVariable, syncChildren } from "./dom.ts";

/** One cell: what it says, and optionally how long its bar is, a remark under it and a tone. */
export interface Cell {
  readonly text: string;
  readonly share?: number;
  readonly remark?: string;
  readonly tone?: "" | "critical" | "warning" | "muted";
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
      },
    );
  }
}

function createCell(): HTMLTableCellElement {
  return el("td", "", el("span", "cell-text"), el("span", "cell-remark"), el("div", "cell-bar"));
}

function updateCell(element: HTMLTableCellElement, cell: Cell | undefined): void {
  const [text, remark, bar] = [...element.children] as HTMLElement[];
  if (cell === undefined || text === undefined || remark === undefined || bar === undefined) return;
  setText(text, cell.text);
  setText(remark, cell.remark ?? "");
  remark.hidden = cell.remark === undefined;
  bar.hidden = cell.share === undefined;
  if (cell.share !== undefined) setVariable(bar, "--share", String(cell.share));
  setClass(element, cell.tone ? `tone-${cell.tone}` : "");
}
