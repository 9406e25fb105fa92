import { number } from "../../src/shared/format.ts";
import { fill, h, onChange, show } from "./dom.ts";
import { type Axes, type Line, type Plot, toCsv } from "./plot.ts";
import { toSvg } from "./plotSvg.ts";
import { chartColours, onThemeChange, printColours, token } from "./theme.ts";
import { button } from "./ui.ts";

export type Save = (name: string, dataUrl: string) => void;
const fileName = (axes: Axes, ending: string): string => `${axes.title.toLowerCase().replace(/[^a-z0-9]+/g, "-")}.${ending}`;
const asDataUrl = (type: string, text: string): string => `data:${type};charset=utf-8,${encodeURIComponent(text)}`;
const svgElement = (name: string, attributes: Readonly<Record<string, string>>): SVGElement => {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
};

/** Title, legend, table and buttons around the drawing. */
export function chartFrame(
  stage: HTMLElement,
  hidden: Set<string>,
  rebuild: () => void,
  save: Save,
  canvas: () => HTMLCanvasElement | null,
) {
  const title = h("h3", { class: "chart-title" });
  const legend = h("div", { class: "chart-legend", attributes: { role: "group", "aria-label": "Lines shown" } });
  const table = h("div", { class: "table-scroll", attributes: { tabindex: 0 } });
  let axes: Axes | null = null;
  let plot: Plot = { x: [], lines: [], marks: [] };
  let asTable = false;
  let at: number | null = null;
  const tableButton = button("Show as table", () => {
    asTable = !asTable;
    refresh();
  });
  const saveButtons = savers(() => (axes ? { axes, plot } : null), canvas, save);
  const rows = onChange((current: Axes, data: Plot) => fill(table, tableOf(current, data)));
  const entries = onChange((_key: string) =>
    fill(legend, ...plot.lines.filter((l) => !l.faint).map((line) => entry(line, hidden, rebuild))),
  );
  const drawEntries = (): void => entries(`${plot.lines.map((l) => l.label).join()}/${chartColours().join()}`);
  onThemeChange(drawEntries);
  const refresh = (): void => {
    if (!axes) return;
    title.textContent = axes.title;
    show(stage, !asTable);
    show(legend, !asTable && plot.lines.length > 0);
    show(table, asTable);
    tableButton.textContent = asTable ? "Show as chart" : "Show as table";
    if (asTable) rows(axes, plot);
    drawEntries();
    readings(legend, axes, plot, at);
  };
  const buttons = h("div", { class: "buttons chart-buttons" }, tableButton, ...saveButtons);
  return {
    element: h("figure", { class: "chart" }, h("figcaption", {}, title), legend, stage, table, buttons),
    update(nextAxes: Axes, next: Plot) {
      axes = nextAxes;
      plot = next;
      refresh();
    },
    read(index: number | null) {
      at = index;
      if (axes) readings(legend, axes, plot, at);
    },
  };
}

/** Buttons that save the picture, the drawing or the figures. */
function savers(
  shown: () => { readonly axes: Axes; readonly plot: Plot } | null,
  canvas: () => HTMLCanvasElement | null,
  save: Save,
): HTMLElement[] {
  const makers: readonly (readonly [string, (axes: Axes, plot: Plot) => string | null])[] = [
    ["png", () => withBackground(canvas())],
    ["svg", (axes, plot) => asDataUrl("image/svg+xml", toSvg(axes, plot, printColours))],
    ["csv", (axes, plot) => asDataUrl("text/csv", toCsv(axes, plot))],
  ];
  return makers.map(([ending, make]) => {
    const press = (): void => {
      const now = shown();
      const url = now && make(now.axes, now.plot);
      if (now && url) save(fileName(now.axes, ending), url);
    };
    return button(ending.toUpperCase(), press, { label: `Save as ${ending.toUpperCase()}` });
  });
}

function entry(line: Line, hidden: Set<string>, rebuild: () => void): HTMLElement {
  const colour = chartColours()[line.colour % 6] ?? "gray";
  const swatch = svgElement("svg", { viewBox: "0 0 24 10", width: "24", height: "10", "aria-hidden": "true" });
  swatch.append(
    svgElement("line", {
      x1: "0",
      x2: "24",
      y1: "5",
      y2: "5",
      stroke: colour,
      "stroke-width": "2",
      "stroke-dasharray": line.dash.join(" "),
    }),
  );
  const shapes = { circle: "M12 1.5a3.5 3.5 0 1 0 .01 0z", square: "M9 2h6v6H9z", triangle: "M12 1l4 8H8z", diamond: "M12 0l4 5-4 5-4-5z" };
  if (line.marker) swatch.append(svgElement("path", { d: shapes[line.marker], fill: colour }));
  const toggle = h(
    "button",
    { class: "legend-entry", attributes: { type: "button", "aria-pressed": String(!hidden.has(line.label)) } },
    swatch,
    h("span", {}, line.label),
    h("span", { class: "legend-value" }),
  );
  toggle.addEventListener("click", () => {
    if (!hidden.delete(line.label)) hidden.add(line.label);
    toggle.setAttribute("aria-pressed", String(!hidden.has(line.label)));
    rebuild();
  });
  return toggle;
}

/** Values under the cursor, beside the names of the lines; the last ones when there is no cursor. */
function readings(legend: HTMLElement, axes: Axes, plot: Plot, at: number | null): void {
  const lines = plot.lines.filter((line) => !line.faint);
  for (const [i, slot] of [...legend.querySelectorAll(".legend-value")].entries()) {
    const y = lines[i]?.y ?? [];
    const value = at === null ? y.findLast((v) => v !== null) : y[at];
    slot.textContent = value === null || value === undefined ? "–" : axes.format(value);
  }
}

function tableOf(axes: Axes, plot: Plot): HTMLElement {
  const lines = plot.lines.filter((line) => !line.faint);
  return h(
    "table",
    {},
    h("caption", { class: "visually-hidden" }, `${axes.title}: ${axes.y} by ${axes.x}`),
    h("thead", {}, h("tr", {}, ...[axes.x, ...lines.map((l) => l.label)].map((name) => h("th", { attributes: { scope: "col" } }, name)))),
    h(
      "tbody",
      {},
      ...plot.x.map((x, i) =>
        h(
          "tr",
          {},
          h("th", { attributes: { scope: "row" } }, axes.xFormat?.(x) ?? number(x)),
          ...lines.map((l) => h("td", {}, cell(axes, l, i))),
        ),
      ),
    ),
  );
}
/** A value with the ends of its band. */
function cell(axes: Axes, { y, band }: Line, i: number): string {
  const value = y[i];
  if (value === null || value === undefined) return "–";
  const [low, high] = [band?.low[i], band?.high[i]];
  const ends = typeof low === "number" && typeof high === "number" ? ` (${axes.format(low)} to ${axes.format(high)})` : "";
  return `${axes.format(value)}${ends}`;
}

function withBackground(canvas: HTMLCanvasElement | null): string | null {
  if (!canvas) return null;
  const copy = Object.assign(document.createElement("canvas"), { width: canvas.width, height: canvas.height });
  const context = copy.getContext("2d");
  if (!context) return null;
  context.fillStyle = token("editor-background", "white");
  context.fillRect(0, 0, copy.width, copy.height);
  context.drawImage(canvas, 0, 0);
  return copy.toDataURL("image/png");
}
