type Child = Node | string;

/** An element with a class and children; text only ever goes in as text, never as markup. */
export function el<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  className = "",
  ...children: Child[]
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  if (className !== "") element.className = className;
  element.append(...children);
  return element;
}

/** Sets the text only when it differs, so that an unchanged screen costs no layout. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

export function setClass(element: Element, className: string): void {
  if (element.className !== className) element.className = className;
}

export function setAttribute(element: Element, name: string, value: string | null): void {
  if (value === null) element.removeAttribute(name);
  else if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

/** A style variable; only the CSSOM is used, as the page's policy forbids style attributes. */
export function setVariable(element: HTMLElement, name: string, value: string): void {
  if (element.style.getPropertyValue(name) !== value) element.style.setProperty(name, value);
}

/** Keeps `count` children in `parent`, made by `create`, and gives them to `update` in order. */
export function syncChildren<Row extends HTMLElement>(
  parent: HTMLElement,
  count: number,
  create: () => Row,
  update: (row: Row, index: number) => void,
): void {
  while (parent.childElementCount > count) parent.lastElementChild?.remove();
  while (parent.childElementCount < count) parent.append(create());
  for (let index = 0; index < count; index += 1) update(parent.children[index] as Row, index);
}
