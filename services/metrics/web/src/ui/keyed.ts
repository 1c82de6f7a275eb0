/**
 * Keeps one child for each key, in order: a row stays the same element for as long as its key is there, so that focus,
 * a half-pressed button and what a reader has reached stay with it. Focus survives that a row moves.
 */
export function syncKeyed<Row extends HTMLElement>(
  parent: HTMLElement,
  keys: readonly string[],
  create: (key: string) => Row,
  update: (row: Row, index: number) => void,
): void {
  const held = document.activeElement instanceof HTMLElement && parent.contains(document.activeElement) ? document.activeElement : null;
  const rows = new Map([...parent.children].map((child) => [(child as HTMLElement).dataset["key"], child as Row]));
  const wanted = new Set(keys);
  for (const [key, row] of rows) if (key === undefined || !wanted.has(key)) row.remove();
  keys.forEach((key, index) => {
    let row = rows.get(key);
    if (row === undefined) {
      row = create(key);
      row.dataset["key"] = key;
    }
    if (parent.children[index] !== row) parent.insertBefore(row, parent.children[index] ?? null);
    update(row, index);
  });
  if (held !== null && held.isConnected && document.activeElement !== held) held.focus({ preventScroll: true });
}
