/** The little that panels need above the DOM: build elements, replace children, skip what did not change. No HTML strings, so no inline styles. */
export type Child = Node | string | number | null | undefined | false;
type Listener<K extends keyof HTMLElementEventMap> = (event: HTMLElementEventMap[K]) => void;
type Events = { readonly [K in keyof HTMLElementEventMap]?: Listener<K> };

export interface Properties {
  readonly class?: string;
  readonly title?: string;
  readonly id?: string;
  /** `aria-…`, `role`, `data-…`, `tabindex` and the rest; `false` and `undefined` leave the attribute out. */
  readonly attributes?: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly on?: Events;
}

export function h<K extends keyof HTMLElementTagNameMap>(tag: K, properties?: Properties, ...children: Child[]): HTMLElementTagNameMap[K];
export function h(tag: string, properties?: Properties, ...children: Child[]): HTMLElement;
export function h(tag: string, properties: Properties = {}, ...children: Child[]): HTMLElement {
  const element = document.createElement(tag);
  if (properties.class) element.className = properties.class;
  if (properties.title) element.title = properties.title;
  if (properties.id) element.id = properties.id;
  setAttributes(element, properties.attributes ?? {});
  for (const [name, listener] of Object.entries(properties.on ?? {})) element.addEventListener(name, listener as EventListener);
  append(element, children);
  return element;
}

export function setAttributes(element: Element, attributes: Readonly<Record<string, string | number | boolean | undefined>>): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) element.removeAttribute(name);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
}

function append(element: Element, children: readonly Child[]): void {
  for (const child of children) {
    if (child === null || child === undefined || child === false) continue;
    element.append(child instanceof Node ? child : String(child));
  }
}

export function fill(element: Element, ...children: Child[]): void {
  element.replaceChildren();
  append(element, children);
}

/** Sets text only when it differs, so that live regions do not announce the same thing twice. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

export function show(element: HTMLElement, visible: boolean): void {
  element.hidden = !visible;
}

/** Runs `effect` only when one of the values is another one than last time. */
export function onChange<T extends readonly unknown[]>(effect: (...values: T) => void): (...values: T) => void {
  let last: T | undefined;
  return (...values) => {
    if (last?.every((value, i) => Object.is(value, values[i]))) return;
    last = values;
    effect(...values);
  };
}

/** A piece of a panel: made once, then told about every new state. Focus, canvases and charts survive an update. */
export interface Part<State> {
  readonly element: HTMLElement;
  update(state: State): void;
}

/**
 * Arrow keys, Home and End inside a group of which one member is in the tab order. `columns` is 1 for a plain row or list.
 * Returns the focus setter, to be called after the members were replaced.
 */
export function roving(
  container: HTMLElement,
  selector: string,
  columns: () => number,
  picked?: (index: number) => void,
): (index: number) => void {
  const members = (): HTMLElement[] => [...container.querySelectorAll<HTMLElement>(selector)];
  const select = (index: number): void => {
    for (const [i, member] of members().entries()) member.tabIndex = i === index ? 0 : -1;
  };
  container.addEventListener("keydown", (event) => {
    const all = members();
    const at = all.indexOf(document.activeElement as HTMLElement);
    const to = at < 0 ? null : moved(event.key, at, all.length, columns());
    if (to === null) return;
    event.preventDefault();
    select(to);
    all[to]?.focus();
    picked?.(to);
  });
  container.addEventListener("focusin", (event) => {
    const at = members().indexOf(event.target as HTMLElement);
    if (at >= 0) select(at);
  });
  return select;
}

/** Members in a row of a group that is laid out in lines or a grid. */
export function columnsOf(container: HTMLElement, selector: string): number {
  const members = [...container.querySelectorAll<HTMLElement>(selector)];
  const top = members[0]?.offsetTop;
  return Math.max(1, members.filter((member) => member.offsetTop === top).length);
}

/** Where an arrow key leads from `at` among `count` members in rows of `columns`; null when the key does not move. */
export function moved(key: string, at: number, count: number, columns: number): number | null {
  const steps: Readonly<Record<string, number>> = {
    ArrowRight: 1,
    ArrowLeft: -1,
    ArrowDown: columns,
    ArrowUp: -columns,
    Home: -at,
    End: count - 1 - at,
  };
  const step = steps[key];
  if (step === undefined) return null;
  const to = at + step;
  return to < 0 || to >= count ? at : to;
}
