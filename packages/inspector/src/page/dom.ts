/** A child of an element: what is text stays text, whatever it looks like. */
export type Child = Node | string | null;

/** Makes an element. Attributes are set as attributes; nothing is ever read as HTML. */
export function element<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  attributes: Readonly<Record<string, string>>,
  ...children: readonly Child[]
): HTMLElementTagNameMap[Name] {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  fill(made, children);
  return made;
}

/**
 * Replaces what is in an element. What stays is not touched: taken out and put back, it would lose the click of somebody
 * whose button is down, and what is marked.
 */
export function fill(parent: Element, children: readonly Child[]): void {
  const wanted = children
    .filter((child) => child !== null)
    .map((child) => (typeof child === 'string' ? document.createTextNode(child) : child));
  const kept = new Set<Node>(wanted);
  for (const node of [...parent.childNodes]) if (!kept.has(node)) node.remove();
  let at = parent.firstChild;
  for (const node of wanted) {
    if (node === at) at = at.nextSibling;
    else parent.insertBefore(node, at);
  }
}

/** The element of the page with that id. */
export function byId(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`There is no #${id} on the page.`);
  return found;
}

/** A table with a head; numbers stand right. */
export function table(
  head: readonly string[],
  rows: readonly (readonly (string | number | Child)[])[],
): readonly HTMLElement[] {
  const cell = (name: 'td' | 'th', value: string | number | Child): HTMLElement =>
    element(
      name,
      typeof value === 'number' ? { class: 'number' } : {},
      typeof value === 'number' ? value.toLocaleString('en') : value,
    );
  const isNumber = (at: number): boolean => typeof rows[0]?.[at] === 'number';
  return [
    element(
      'thead',
      {},
      element('tr', {}, ...head.map((each, at) => element('th', isNumber(at) ? { class: 'number' } : {}, each))),
    ),
    element('tbody', {}, ...rows.map((row) => element('tr', {}, ...row.map((value) => cell('td', value))))),
  ];
}

/** Milliseconds, as people read them. */
export function time(milliseconds: number): string {
  if (milliseconds < 10) return `${Math.max(0, milliseconds).toFixed(1)} ms`;
  if (milliseconds < 1000) return `${Math.round(milliseconds)} ms`;
  if (milliseconds < 60_000) return `${(milliseconds / 1000).toFixed(1)} s`;
  return `${Math.floor(milliseconds / 60_000)} min ${Math.round((milliseconds % 60_000) / 1000)} s`;
}

/** Makes a canvas as sharp as the screen is, and gives what draws on it; sizes are those of the page. */
export function drawing(canvas: HTMLCanvasElement): {
  pen: CanvasRenderingContext2D;
  width: number;
  height: number;
  color: (name: string) => string;
} | null {
  const { clientWidth: width, clientHeight: height } = canvas;
  const pen = canvas.getContext('2d');
  if (pen === null || width === 0) return null;
  const ratio = window.devicePixelRatio;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  pen.scale(ratio, ratio);
  const style = getComputedStyle(document.documentElement);
  return { pen, width, height, color: (name) => style.getPropertyValue(`--${name}`).trim() };
}
