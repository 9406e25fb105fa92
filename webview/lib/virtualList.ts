import { h, setAttributes } from "./dom.ts";

/** Rows `first` up to, not including, `last` are in the page: those that are seen and `spare` on either side. */
export function visibleRows(
  scrollTop: number,
  height: number,
  rowHeight: number,
  count: number,
  spare = 8,
): { readonly first: number; readonly last: number } {
  const top = Math.max(0, Math.min(scrollTop, count * rowHeight - height));
  return {
    first: Math.max(0, Math.floor(top / rowHeight) - spare),
    last: Math.min(count, Math.ceil((top + height) / rowHeight) + spare),
  };
}

/** Where a key leads in a list of `count` rows of which `page` are seen; null when it does not move. */
export function nextRow(key: string, at: number, count: number, page: number): number | null {
  const steps: Readonly<Record<string, number>> = {
    ArrowDown: 1,
    ArrowUp: -1,
    PageDown: page,
    PageUp: -page,
    Home: -count,
    End: count,
  };
  const step = steps[key];
  return step === undefined || count === 0 ? null : Math.min(Math.max(at + step, 0), count - 1);
}

export interface VirtualList<Row> {
  readonly element: HTMLElement;
  set(rows: readonly Row[]): void;
}

/** A list of any length with one height for all rows: only those that are seen are made. The list has the focus, the active row is named to screen readers. */
export function virtualList<Row>(o: {
  readonly label: string;
  readonly rowHeight: number;
  render(row: Row): readonly HTMLElement[];
  open(row: Row): void;
}): VirtualList<Row> {
  const space = h("div", { class: "virtual-space" });
  const element = h("div", { class: "virtual-list", attributes: { role: "listbox", tabindex: 0, "aria-label": o.label } }, space);
  const rowsMade = pool((i, row: Row, count) => rowElement(i, count, o.rowHeight, o.render(row)), space);
  let rows: readonly Row[] = [];
  let active = 0;
  let scheduled = false;
  const paint = (): void => {
    scheduled = false;
    const { first, last } = visibleRows(element.scrollTop, element.clientHeight, o.rowHeight, rows.length);
    rowsMade.show(rows, first, last);
    setAttributes(element, { "aria-activedescendant": rowsMade.mark(active) });
  };
  const schedule = (): void => {
    if (!scheduled) requestAnimationFrame(paint);
    scheduled = true;
  };
  const go = (to: number): void => {
    active = to;
    const top = to * o.rowHeight;
    if (top < element.scrollTop) element.scrollTop = top;
    else if (top + o.rowHeight > element.scrollTop + element.clientHeight) element.scrollTop = top + o.rowHeight - element.clientHeight;
    paint();
  };
  const open = (at: number): void => {
    const row = rows[at];
    if (row !== undefined) o.open(row);
  };
  element.addEventListener("scroll", schedule, { passive: true });
  new ResizeObserver(schedule).observe(element);
  const page = (): number => Math.max(1, Math.floor(element.clientHeight / o.rowHeight) - 1);
  listen(element, { active: () => active, count: () => rows.length, page, go, open });
  return {
    element,
    set(next) {
      rows = next;
      active = 0;
      rowsMade.clear();
      space.style.height = `${rows.length * o.rowHeight}px`;
      element.scrollTop = 0;
      paint();
    },
  };
}

/** The rows that are in the page, by their place. */
function pool<Row>(make: (index: number, row: Row, count: number) => HTMLElement, space: HTMLElement) {
  const made = new Map<number, HTMLElement>();
  return {
    clear() {
      made.clear();
      space.replaceChildren();
    },
    show(rows: readonly Row[], first: number, last: number) {
      for (const [i, row] of made) {
        if (i >= first && i < last) continue;
        row.remove();
        made.delete(i);
      }
      for (let i = first; i < last; i++) {
        const data = rows[i];
        if (made.has(i) || data === undefined) continue;
        const row = make(i, data, rows.length);
        made.set(i, row);
        space.append(row);
      }
    },
    /** Marks one row as the active one and returns its id, if it is in the page. */
    mark(active: number): string | undefined {
      for (const [i, row] of made) row.setAttribute("aria-selected", String(i === active));
      return made.get(active)?.id;
    },
  };
}

function rowElement(index: number, count: number, height: number, cells: readonly HTMLElement[]): HTMLElement {
  const attributes = { role: "option", "aria-posinset": index + 1, "aria-setsize": count, "data-row": index };
  const row = h("div", { class: "virtual-row", id: `row-${index}`, attributes }, ...cells);
  row.style.transform = `translateY(${index * height}px)`;
  row.style.height = `${height}px`;
  return row;
}

interface ListKeys {
  active(): number;
  count(): number;
  page(): number;
  go(to: number): void;
  open(at: number): void;
}
function listen(element: HTMLElement, list: ListKeys): void {
  const rowOf = (event: Event): number | null => {
    const row = event.target instanceof Element ? event.target.closest<HTMLElement>(".virtual-row") : null;
    return row ? Number(row.dataset["row"]) : null;
  };
  element.addEventListener("keydown", (event) => {
    if (event.key === "Enter") {
      event.preventDefault();
      list.open(list.active());
      return;
    }
    const to = nextRow(event.key, list.active(), list.count(), list.page());
    if (to === null) return;
    event.preventDefault();
    list.go(to);
  });
  element.addEventListener("click", (event) => {
    const at = rowOf(event);
    if (at !== null) list.go(at);
  });
  element.addEventListener("dblclick", (event) => {
    const at = rowOf(event);
    if (at !== null) list.open(at);
  });
}
