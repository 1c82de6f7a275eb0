// What looks wrong on the page as it stands, a line each. Run in the page; `wall` forbids scrolling altogether.
(wall) => {
  const found = [];
  const EDGE = 1.5;
  // What may lie above the rest of the page: a dialog, and what is laid there with a ground of its own.
  const layer = (element) => {
    for (let around = element; around !== null; around = around.parentElement) {
      if (around.matches("dialog, [role=dialog], [popover]")) return around;
      const { position, backgroundColor } = getComputedStyle(around);
      const opaque = !/^rgba\(.*, 0(\.\d+)?\)$|^transparent$/.test(backgroundColor);
      if (position === "fixed" && opaque) return around;
    }
    return null;
  };
  const words = (text) => text.replace(/\s+/g, " ").trim().slice(0, 60);
  const place = (element) => {
    const panel = element.closest("[data-panel]");
    const name = panel === null ? "" : `${panel.dataset.panel}: `;
    return `${name}${element.tagName.toLowerCase()}.${String(element.className).split(" ").join(".")}`;
  };
  // What stands on the page for screen readers alone is clipped to nothing.
  const spoken = (element) => {
    for (let around = element; around !== null; around = around.parentElement) {
      if (getComputedStyle(around).clipPath.startsWith("inset(50%")) return true;
    }
    return false;
  };
  const visible = (element) =>
    element.checkVisibility({ opacityProperty: true, visibilityProperty: true }) &&
    element.closest("select, option, dialog:not([open])") === null &&
    !spoken(element);

  const texts = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
    const element = node.parentElement;
    if (node.data.trim() === "" || !visible(element)) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    const rects = [...range.getClientRects()].filter(({ width, height }) => width > 0 && height > 0);
    if (rects.length > 0) texts.push({ node, element, rects, box: range.getBoundingClientRect() });
  }

  // A text that its box, or a box around it, cuts off. An ellipsis admits it, and may shorten words but no figure.
  const flows = (element, around) => {
    for (let inner = element; inner !== around; inner = inner.parentElement) {
      if (getComputedStyle(inner).display !== "inline") return false;
    }
    return true;
  };
  const scrolls = (value) => value === "auto" || value === "scroll";
  for (const { node, element, box } of texts) {
    for (let around = element; around !== null && around !== document.body; around = around.parentElement) {
      const style = getComputedStyle(around);
      const edge = around.getBoundingClientRect();
      const wide = box.right > edge.right + EDGE || box.left < edge.left - EDGE;
      const tall = box.bottom - box.height * 0.2 > edge.bottom + EDGE || box.top + box.height * 0.2 < edge.top - EDGE;
      const cutsX = style.overflowX !== "visible" && !scrolls(style.overflowX);
      const cutsY = style.overflowY !== "visible" && !scrolls(style.overflowY);
      if (scrolls(style.overflowX) || scrolls(style.overflowY)) break;
      if (wide && cutsX) {
        const admitted = (style.textOverflow === "ellipsis" && flows(element, around)) || style.webkitLineClamp !== "none";
        if (!admitted) found.push(`cut off: "${words(node.data)}" in ${place(around)}`);
        else if (/^[^\p{L}]*\d[^\p{L}]*$/u.test(node.data)) found.push(`figure shortened: "${words(node.data)}" in ${place(around)}`);
        break;
      }
      if (tall && cutsY) {
        if (style.webkitLineClamp === "none") found.push(`cut off below: "${words(node.data)}" in ${place(around)}`);
        break;
      }
      if (around.hasAttribute("data-panel")) {
        if (wide || tall) found.push(`beyond its panel: "${words(node.data)}" in ${place(element)}`);
        break;
      }
    }
  }

  // Words upon words. Letters stand between three and eight tenths of a line's height.
  const lines = texts.flatMap(({ node, element, rects }) => {
    const edge = { left: -Infinity, right: Infinity, bottom: Infinity };
    for (let around = element; around !== null; around = around.parentElement) {
      if (getComputedStyle(around).overflowX === "visible") continue;
      const box = around.getBoundingClientRect();
      edge.left = Math.max(edge.left, box.left);
      edge.right = Math.min(edge.right, box.right);
      edge.bottom = Math.min(edge.bottom, box.bottom);
    }
    return rects
      .map(({ left, right, top, height }) => ({
        node,
        element,
        left: Math.max(left, edge.left),
        right: Math.min(right, edge.right),
        top: top + height * 0.3,
        bottom: Math.min(top + height * 0.8, edge.bottom),
      }))
      .filter(({ left, right, top, bottom }) => left < right && top < bottom);
  });
  lines.sort((a, b) => a.left - b.left);
  for (let first = 0; first < lines.length; first += 1) {
    for (let second = first + 1; second < lines.length; second += 1) {
      const [a, b] = [lines[first], lines[second]];
      if (b.left > a.right - 2) break;
      if (a.element === b.element || a.top > b.bottom - 1 || b.top > a.bottom - 1) continue;
      if (layer(a.element) !== layer(b.element)) continue;
      found.push(`one upon another: "${words(a.node.data)}" and "${words(b.node.data)}" in ${place(a.element)}`);
    }
  }

  const panels = [...document.querySelectorAll("[data-panel]")].filter(visible);
  const boxes = panels.map((panel) => ({ name: panel.dataset.panel, panel, box: panel.getBoundingClientRect() }));
  boxes.forEach((a, index) => {
    for (const b of boxes.slice(index + 1)) {
      if (a.panel.contains(b.panel) || b.panel.contains(a.panel)) continue;
      const wide = Math.min(a.box.right, b.box.right) - Math.max(a.box.left, b.box.left);
      const tall = Math.min(a.box.bottom, b.box.bottom) - Math.max(a.box.top, b.box.top);
      if (wide > 1 && tall > 1) found.push(`panels overlap: ${a.name} and ${b.name}`);
    }
    if (a.box.width < 40 || a.box.height < 20) found.push(`panel has no room: ${a.name}`);
    if (a.box.right > innerWidth + 1 || a.box.left < -1) found.push(`panel beyond the screen: ${a.name}`);
    if (wall && (a.box.bottom > innerHeight + 1 || a.box.top < -1)) found.push(`panel beyond the screen: ${a.name}`);
  });

  const root = document.documentElement;
  if (root.scrollWidth > innerWidth) {
    const widest = [...document.body.querySelectorAll("*")]
      .filter((element) => visible(element) && element.getBoundingClientRect().right > innerWidth + 1)
      .slice(0, 3);
    found.push(`scrolls sideways: ${root.scrollWidth} of ${innerWidth} px, ${widest.map(place).join(", ")}`);
  }
  if (wall && root.scrollHeight > innerHeight) found.push(`scrolls down: ${root.scrollHeight} of ${innerHeight} px`);
  return [...new Set(found)];
}
