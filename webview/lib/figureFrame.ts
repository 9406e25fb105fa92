import { cellText } from "../../src/shared/analysisCell.ts";
import { csvText, figureData } from "../../src/shared/figures/data.ts";
import { drawFigure, legendOf } from "../../src/shared/figures/draw.ts";
import type { Figure } from "../../src/shared/figures/figure.ts";
import { type LegendEntry, swatch, swatchWidth } from "../../src/shared/figures/page.ts";
import { figureTable } from "../../src/shared/figures/table.ts";
import { panelTheme, printTheme } from "../../src/shared/figures/theme.ts";
import { html } from "../../src/shared/markup.ts";
import { fill, h, onChange, show } from "./dom.ts";
import { loadPixels } from "./pixels.ts";
import { svgNode } from "./svgNode.ts";
import { button } from "./ui.ts";

export type Save = (name: string, dataUrl: string) => void;
export interface FrameOptions {
  /** What is drawn on, by whoever draws. */
  readonly stage: HTMLElement;
  /** Names of the series that are switched off. */
  readonly hidden: Set<string>;
  /** A series was switched on or off. */
  rebuild(): void;
  readonly save: Save;
  /** The legend says the last value of each line, and those under the cursor. */
  readonly hasReadings?: boolean;
}

/** Title, legend, table and buttons around a drawing. */
export function figureFrame(o: FrameOptions) {
  const { stage } = o;
  const title = h("p", { class: "chart-title" });
  const legend = h("div", { class: "chart-legend", attributes: { role: "group", "aria-label": "Series shown" } });
  const table = h("div", { class: "table-scroll", attributes: { tabindex: 0, role: "group" } });
  let figure: Figure | null = null;
  let asTable = false;
  let at: number | null = null;
  const tableButton = button("Show as table", () => {
    asTable = !asTable;
    refresh();
  });
  const rows = onChange((current: Figure) => fill(table, tableOf(current)));
  const entries = onChange((_key: string) => fill(legend, ...(figure ? legendOf(figure) : []).map((e) => entry(e, o))));
  const refresh = (): void => {
    if (!figure) return;
    const listed = legendOf(figure);
    title.textContent = figure.title;
    table.setAttribute("aria-label", figure.title);
    show(stage, !asTable);
    show(legend, !asTable && listed.length > (o.hasReadings ? 0 : 1));
    show(table, asTable);
    tableButton.textContent = asTable ? "Show as chart" : "Show as table";
    if (asTable) rows(figure);
    entries(JSON.stringify(listed));
    if (o.hasReadings) readings(legend, figure, at);
  };
  const savers = saveButtons(() => figure, o);
  return {
    element: h(
      "figure",
      { class: "chart" },
      h("figcaption", {}, title),
      legend,
      stage,
      table,
      h("div", { class: "buttons chart-buttons" }, tableButton, ...savers),
    ),
    update(next: Figure) {
      figure = next;
      refresh();
    },
    /** Place on the x axis under the cursor; null for none. */
    read(x: number | null) {
      at = x;
      if (figure) readings(legend, figure, at);
    },
  };
}

/** Buttons that save the drawing or the values; the drawing stands on white, whatever the theme. */
function saveButtons(figure: () => Figure | null, { save, hidden }: FrameOptions): HTMLElement[] {
  const url = (type: string, text: string): string => `data:${type};charset=utf-8,${encodeURIComponent(text)}`;
  const makers: readonly (readonly [string, (now: Figure) => Promise<string>])[] = [
    ["png", async (now) => rasterized(await exported(now, hidden))],
    ["svg", async (now) => url("image/svg+xml", await exported(now, hidden))],
    ["csv", async (now) => url("text/csv", csvText([figureData(now).heads, ...figureData(now).rows], "\n"))],
  ];
  return makers.map(([ending, make]) => {
    const press = (): void => {
      const now = figure();
      const name = `${now?.title.toLowerCase().replace(/[^a-z0-9]+/g, "-")}.${ending}`;
      if (now) void make(now).then((dataUrl) => save(name, dataUrl));
    };
    return button(ending.toUpperCase(), press, { label: `Save as ${ending.toUpperCase()}` });
  });
}

/** The figure without the values of hidden series; they keep their places, so that markers and colours stay. */
export function withoutHidden(figure: Figure, hidden: ReadonlySet<string>): Figure {
  if (hidden.size === 0) return figure;
  switch (figure.kind) {
    case "line":
      return { ...figure, series: figure.series.map((one) => (hidden.has(one.label) ? { ...one, points: [] } : one)) };
    case "scatter":
      return { ...figure, series: figure.series.map((one) => (hidden.has(one.label) ? { ...one, points: [] } : one)) };
    case "histogram":
      return { ...figure, series: figure.series.map((one) => (hidden.has(one.label) ? { ...one, counts: [] } : one)) };
    case "bar":
      return { ...figure, series: figure.series.map((one) => (hidden.has(one.label) ? { ...one, values: [] } : one)) };
    default:
      return figure;
  }
}

async function exported(figure: Figure, hidden: ReadonlySet<string>): Promise<string> {
  const whole = figure.kind === "pictures" ? await withPictures(figure) : withoutHidden(figure, hidden);
  return drawFigure(whole, { ...printTheme, width: 640, id: "figure", isFile: true }).text;
}

/** A file of its own can load nothing: the pictures go into it. */
async function withPictures(figure: Extract<Figure, { readonly kind: "pictures" }>): Promise<Figure> {
  const inside = async (href: string): Promise<string> => {
    const { source, width, height } = await loadPixels(href);
    const canvas = Object.assign(document.createElement("canvas"), { width, height });
    canvas.getContext("2d")?.drawImage(source, 0, 0);
    return canvas.toDataURL("image/png");
  };
  const rows = figure.rows.map(async (row) => ({
    ...row,
    pictures: await Promise.all(row.pictures.map(async (picture) => ({ ...picture, href: await inside(picture.href) }))),
  }));
  return { ...figure, rows: await Promise.all(rows) };
}

/** Twice as many pixels as the drawing has, for print. */
async function rasterized(svg: string): Promise<string> {
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`;
  await image.decode();
  const canvas = Object.assign(document.createElement("canvas"), { width: 2 * image.naturalWidth, height: 2 * image.naturalHeight });
  canvas.getContext("2d")?.drawImage(image, 0, 0, canvas.width, canvas.height);
  return canvas.toDataURL("image/png");
}

function entry(listed: LegendEntry, { hidden, rebuild, hasReadings }: FrameOptions): HTMLElement {
  const { label } = listed;
  const sign = html`<svg width="${swatchWidth}" height="12" aria-hidden="true">${swatch(listed, panelTheme, 1, 6)}</svg>`;
  const toggle = h(
    "button",
    { class: "legend-entry", title: label, attributes: { type: "button", "aria-pressed": String(!hidden.has(label)) } },
    svgNode(sign),
    h("span", {}, label),
    hasReadings ? h("span", { class: "legend-value" }) : null,
  );
  toggle.addEventListener("click", () => {
    if (!hidden.delete(label)) hidden.add(label);
    toggle.setAttribute("aria-pressed", String(!hidden.has(label)));
    rebuild();
  });
  return toggle;
}

/** Values at a place, beside the names of the lines; the last ones where there is no place. */
function readings(legend: HTMLElement, figure: Figure, at: number | null): void {
  if (figure.kind !== "line") return;
  for (const [i, slot] of [...legend.querySelectorAll(".legend-value")].entries()) {
    const points = figure.series[i]?.points ?? [];
    const value = (at === null ? points.at(-1) : points.find(({ x }) => x === at))?.y;
    slot.textContent = cellText(value, figure.y.format);
  }
}

function tableOf(figure: Figure): HTMLElement {
  const { heads, rows } = figureTable(figure);
  return h(
    "table",
    {},
    h("caption", { class: "visually-hidden" }, figure.title),
    h("thead", {}, h("tr", {}, ...heads.map((name) => h("th", { attributes: { scope: "col" } }, name)))),
    h(
      "tbody",
      {},
      ...rows.map((cells) =>
        h("tr", {}, ...cells.map((text, i) => (i === 0 ? h("th", { attributes: { scope: "row" } }, text) : h("td", {}, text)))),
      ),
    ),
  );
}
