import { h, moved, setAttributes } from "../lib/dom.ts";
import { visibleRows } from "../lib/virtualList.ts";

export interface Grid<Item> {
  readonly element: HTMLElement;
  set(items: readonly Item[]): void;
  readonly active: Item | undefined;
}
const cell = { width: 132, height: 156 };

/** As many cells side by side as fit. */
export const columnsIn = (width: number): number => Math.max(1, Math.floor(width / cell.width));

interface Cells<Item> {
  /** Makes the cells from `first` up to, not including, `last`, and takes all others away. */
  show(items: readonly Item[], first: number, last: number): void;
  /** Puts every cell where it belongs among `columns`. */
  arrange(columns: number): void;
  /** Marks one cell as the active one and returns its id, if it is in the page. */
  mark(active: number): string | undefined;
  clear(): void;
}

function cellsIn<Item>(space: HTMLElement, render: (item: Item) => readonly HTMLElement[]): Cells<Item> {
  const made = new Map<number, HTMLElement>();
  let columns = 1;
  const place = (at: number, node: HTMLElement): void => {
    node.style.transform = `translate(${(at % columns) * cell.width}px, ${Math.floor(at / columns) * cell.height}px)`;
  };
  const make = (at: number, item: Item, count: number): void => {
    const attributes = { role: "option", "aria-posinset": at + 1, "aria-setsize": count, "data-at": at };
    const node = h("div", { class: "grid-cell", id: `cell-${at}`, attributes }, ...render(item));
    place(at, node);
    made.set(at, node);
    space.append(node);
  };
  return {
    show(items, first, last) {
      for (const [at, node] of made)
        if (at < first || at >= last) {
          node.remove();
          made.delete(at);
        }
      for (let at = first; at < last; at++) {
        const item = items[at];
        if (!made.has(at) && item !== undefined) make(at, item, items.length);
      }
    },
    arrange(next) {
      columns = next;
      for (const [at, node] of made) place(at, node);
    },
    mark(active) {
      for (const [at, node] of made) node.setAttribute("aria-selected", String(at === active));
      return made.get(active)?.id;
    },
    clear() {
      made.clear();
      space.replaceChildren();
    },
  };
}

/**
 * Pictures in rows, any number of them: only the rows that are seen are made. The grid has the focus; arrow keys move through it, and the
 * active picture is named to screen readers.
 */
export function pictureGrid<Item>(o: {
  readonly label: string;
  render(item: Item): readonly HTMLElement[];
  select(item: Item | undefined): void;
  open(item: Item): void;
}): Grid<Item> {
  const space = h("div", { class: "grid-space" });
  const element = h("div", { class: "picture-grid", attributes: { role: "listbox", tabindex: 0, "aria-label": o.label } }, space);
  const cells = cellsIn(space, o.render);
  let items: readonly Item[] = [];
  let active = 0;
  let columns = 1;
  const paint = (): void => {
    const rows = visibleRows(element.scrollTop, element.clientHeight, cell.height, Math.ceil(items.length / columns), 2);
    cells.show(items, rows.first * columns, Math.min(items.length, rows.last * columns));
    setAttributes(element, { "aria-activedescendant": cells.mark(active) });
  };
  const arrange = (): void => {
    columns = columnsIn(element.clientWidth);
    space.style.height = `${Math.ceil(items.length / columns) * cell.height}px`;
    cells.arrange(columns);
    paint();
  };
  const go = (to: number): void => {
    active = to;
    const top = Math.floor(to / columns) * cell.height;
    if (top < element.scrollTop) element.scrollTop = top;
    else if (top + cell.height > element.scrollTop + element.clientHeight) element.scrollTop = top + cell.height - element.clientHeight;
    paint();
    o.select(items[active]);
  };
  const open = (at: number): void => {
    const item = items[at];
    if (item !== undefined) o.open(item);
  };
  element.addEventListener("scroll", () => requestAnimationFrame(paint), { passive: true });
  new ResizeObserver(arrange).observe(element);
  listen(element, { go, open, active: () => active, count: () => items.length, columns: () => columns });
  return {
    element,
    get active() {
      return items[active];
    },
    set(next) {
      items = next;
      active = 0;
      cells.clear();
      element.scrollTop = 0;
      arrange();
      o.select(items[0]);
    },
  };
}

interface Keys {
  go(to: number): void;
  open(at: number): void;
  active(): number;
  count(): number;
  columns(): number;
}
function listen(element: HTMLElement, keys: Keys): void {
  const cellOf = (event: Event): number | null => {
    const found = event.target instanceof Element ? event.target.closest<HTMLElement>(".grid-cell") : null;
    return found ? Number(found.dataset["at"]) : null;
  };
  element.addEventListener("keydown", (event) => {
    if (event.key === "Enter") {
      event.preventDefault();
      keys.open(keys.active());
      return;
    }
    const to = moved(event.key, keys.active(), keys.count(), keys.columns());
    if (to === null || keys.count() === 0) return;
    event.preventDefault();
    keys.go(to);
  });
  element.addEventListener("click", (event) => {
    const at = cellOf(event);
    if (at !== null) keys.go(at);
  });
  element.addEventListener("dblclick", (event) => {
    const at = cellOf(event);
    if (at !== null) keys.open(at);
  });
}
