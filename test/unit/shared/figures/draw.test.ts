import { XMLParser, XMLValidator } from "fast-xml-parser";
import { describe, expect, it } from "vitest";
import { drawFigure as drawMarkup, isEmpty } from "../../../../src/shared/figures/draw.ts";
import type { BarFigure, Figure, LineFigure } from "../../../../src/shared/figures/figure.ts";
import type { DrawOptions } from "../../../../src/shared/figures/page.ts";
import { widthOf, wrap } from "../../../../src/shared/figures/text.ts";
import { panelTheme, printTheme, reportTheme } from "../../../../src/shared/figures/theme.ts";
import { states } from "../../../../webview/fixtures/figures.ts";

const drawFigure = (...drawn: Parameters<typeof drawMarkup>): string => drawMarkup(...drawn).text;
const options = (width: number, more: Partial<DrawOptions> = {}): DrawOptions => ({ ...printTheme, width, id: "f1", ...more });
const attributes = (svg: string, name: string): Record<string, string>[] =>
  [...svg.matchAll(new RegExp(`<${name}\\s([^>]*?)/?>`, "g"))].map(([, inside = ""]) =>
    Object.fromEntries([...inside.matchAll(/([\w-]+)="([^"]*)"/g)].map(([, key = "", value = ""]) => [key, value])),
  );
const figures = [...(states["done"] ?? []), ...(states["long"] ?? [])];

const line: LineFigure = {
  kind: "line",
  title: "Accuracy",
  x: { label: "pixels", format: "count" },
  y: { label: "accuracy", format: "percent", range: [0, 1] },
  series: [
    {
      label: "a",
      colour: 1,
      points: [
        { x: 0, y: 1 },
        { x: 2, y: null },
        { x: 4, y: 0.5, low: 0.4, high: 0.6 },
      ],
    },
  ],
};

describe("a figure of every kind", () => {
  it.each(figures.map((figure) => [figure.kind, figure] as const))(
    "%s: well formed, named and described, in the theme's colours alone",
    (_, figure) => {
      const hostile = JSON.parse(JSON.stringify(figure).replaceAll("undefended", '<b>&amp; \\"').replaceAll("clean", "]]>&")) as Figure;
      for (const theme of [panelTheme, reportTheme, printTheme]) {
        const svg = drawFigure(hostile, options(480, { ...theme, isFile: true }));
        expect(XMLValidator.validate(svg)).toBe(true);
        const { svg: root } = new XMLParser({ ignoreAttributes: false, attributeNamePrefix: "" }).parse(svg);
        expect(root["aria-labelledby"]).toBe("f1-t f1-d");
        expect([root.title.id, root.desc.id]).toEqual(["f1-t", "f1-d"]);
        expect(root.desc["#text"].length).toBeGreaterThan(20);
        expect(svg).not.toMatch(/NaN|undefined|Infinity|style=|<script|<b>/);
        const own = [...theme.colours, ...Object.values(theme.tokens), "none", "transparent"];
        if (figure.kind === "heatmap") continue;
        const used = [...svg.matchAll(/(?:fill|stroke)="([^"]*)"/g)].map(([, colour]) => colour ?? "");
        expect(used.filter((colour) => !own.includes(colour) && !colour.startsWith("url(#f1-"))).toEqual([]);
      }
    },
  );

  it.each(figures.map((figure) => [figure.kind, figure] as const))("%s: keeps its texts inside 320 pixels", (_, figure) => {
    const svg = drawFigure(figure, options(320));
    for (const [, inside = "", body = ""] of svg.matchAll(/<text ([^>]*)>(.*?)<\/text>/g)) {
      if (inside.includes("transform")) continue; // upright names of columns
      const at = (name: string, text: string): string | undefined => new RegExp(`(?:^|\\s)${name}="([^"]*)"`).exec(text)?.[1];
      const anchor = at("text-anchor", inside) ?? "start";
      const spans = [...body.matchAll(/<tspan ([^>]*)>(.*?)<\/tspan>/g)].map(
        ([, place = "", text = ""]) => [Number(at("x", place)), text] as const,
      );
      const plain = body.replace(/<title>.*?<\/title>/, "");
      for (const [x, text] of spans.length > 0 ? spans : [[Number(at("x", inside)), plain] as const]) {
        const width = widthOf(text.replaceAll("&lt;", "<").replaceAll("&amp;", "&"));
        const left = anchor === "end" ? x - width : anchor === "middle" ? x - width / 2 : x;
        expect(left, text).toBeGreaterThanOrEqual(-1);
        expect(left + width, text).toBeLessThanOrEqual(321);
      }
    }
  });

  it("has nothing to draw when nothing was measured", () => {
    expect(figures.some(isEmpty)).toBe(false);
    expect(isEmpty({ ...line, series: [{ label: "a", colour: 0, points: [{ x: 1, y: null }] }] })).toBe(true);
    // An empty one is still a figure.
    expect(XMLValidator.validate(drawFigure({ ...line, series: [] }, options(320)))).toBe(true);
  });
});

describe("lines", () => {
  // 360 wide: 4 px, a label line of 15 px and 10 px above the drawing, which is 0.48·360 = 173 px high: 29 to 202.
  // "100 %" is (3·0.67 + 0.41 + 0.98)·11 = 37.4 px, so the axis is 38 + 8 = 46 px from the left, 12 px from the right.
  const svg = drawFigure(line, options(360));

  it("stand where their values are, and go on past what was not measured", () => {
    expect(attributes(svg, "polyline").map(({ points }) => points)).toEqual(["348,98.2 348,132.8", "46,29 348,115.5"]);
  });

  it("have a marker a value that says it, with its interval", () => {
    expect(attributes(svg, "circle").map(({ cx, cy, fill }) => [cx, cy, fill])).toEqual([
      ["46", "29", printTheme.colours[1]],
      ["348", "115.5", printTheme.colours[1]],
    ]);
    expect(svg).toContain("<title>a, pixels 4: 50.0 % (40.0 %–60.0 %)</title>");
  });

  it("have a band where two values or more have intervals", () => {
    const banded = line.series.map((one) => ({ ...one, points: [1, 2].map((x) => ({ x, y: 0.5, low: 0.25, high: 0.75 })) }));
    const [band] = attributes(drawFigure({ ...line, series: banded }, options(360)), "polygon");
    // 29 + 173/4 = 72.25 and 29 + 3·173/4 = 158.75: along the high ends, back along the low ones.
    expect(band?.["points"]).toBe("46,72.3 348,72.3 348,158.8 46,158.8");
  });

  it("leave out what has no logarithm", () => {
    const log = { ...line, y: { label: "loss", format: "number" as const, scale: "log" as const } };
    const points = [1, 0, 100].map((y, x) => ({ x, y }));
    const [drawn] = attributes(drawFigure({ ...log, series: [{ label: "a", colour: 0, points }] }, options(360)), "polyline");
    expect(drawn?.["points"]?.split(" ").map((place) => place.split(",")[1])).toEqual(["202", "29"]); // 10⁰ at the bottom, 10² on top
  });

  it("differ by more than their colour", () => {
    const three = [0, 1, 2].map((i) => ({ label: `${i}`, colour: 0, points: [{ x: 0, y: 0.5 }], ...(i === 1 ? { isDashed: true } : {}) }));
    const drawn = drawFigure({ ...line, series: three }, options(360, { hasLegend: false }));
    expect([
      drawn.match(/<circle/g)?.length,
      new Set(attributes(drawn, "polygon").map(({ points }) => points?.split(" ").length)).size,
    ]).toEqual([1, 2]);
    const legend = drawFigure({ ...line, series: three }, options(360));
    expect(attributes(legend, "line").map((one) => one["stroke-dasharray"])).toEqual([undefined, "6 4", undefined]);
  });
});

describe("bars and boxes", () => {
  const bars: BarFigure = {
    kind: "bar",
    title: "Bars",
    value: { label: "share", format: "percent", range: [0, 1] },
    groups: { label: "attack", names: ["i", "j"] },
    series: [{ label: "one", colour: 0, values: [{ y: 0.25, low: 0, high: 0.5 }, null] }],
  };

  it("begin at 0 and end at their value", () => {
    // "i" is 0.41·11 = 4.5 px, with 8 px of air and 2 px: from 15 to 360 − 12 = 348, so a quarter is 83.25 px long.
    const [paper, bar, ...rest] = attributes(drawFigure(bars, options(360)), "rect");
    expect(paper?.["width"]).toBe("100%");
    expect([bar?.["x"], bar?.["width"]]).toEqual(["15", "83.3"]);
    expect(rest).toEqual([]); // what was not measured has none
  });

  it("name the median and what lies around it", () => {
    const box = { label: "a", colour: 0, n: 9, low: 0, q1: 0.25, median: 0.5, q3: 0.75, high: 1 };
    const svg = drawFigure(
      { kind: "box", title: "Boxes", value: { label: "IoU", format: "number", range: [0, 1] }, boxes: [box] },
      options(360),
    );
    expect(svg).toContain("<title>a: median 0.5, half of 9 between 0.25 and 0.75</title>");
  });
});

describe("a heat map", () => {
  const draw = (values: (number | null)[][], colours: "sequential" | "diverging") =>
    drawFigure(
      {
        kind: "heatmap",
        title: "Matrix",
        rows: { label: "r", names: ["a", "b"] },
        columns: { label: "c", names: ["x", "y"] },
        value: { label: "v", format: "number" },
        values,
        colours,
      },
      options(360),
    );
  const cells = (svg: string) =>
    attributes(svg, "rect")
      .slice(1, 5)
      .map(({ fill }) => fill);

  it("runs from the first colour of cividis to the last, and leaves out what was not measured", () => {
    expect(
      cells(
        draw(
          [
            [0, 1],
            [null, 1],
          ],
          "sequential",
        ),
      ),
    ).toEqual(["#00204d", "#ffea46", "none", "#ffea46"]);
  });

  it("is grey at 0 and as strong on both sides where the values have a sign", () => {
    expect(
      cells(
        draw(
          [
            [0, 2],
            [-2, 1],
          ],
          "diverging",
        ),
      ),
    ).toEqual(["#808080", "#a64200", "#053e8c", "#e88c32"]);
  });
});

describe("text", () => {
  it("is broken at spaces and humps, and cut with an ellipsis where lines run out", () => {
    // 6 letters of 0.62·11 = 6.8 px to a line of 45 px.
    expect(wrap("abcdeh abcdeh", 45, 2)).toEqual(["abcdeh", "abcdeh"]);
    expect(wrap("abcdehABCDEH", 50, 3)[0]).toBe("abcdeh");
    expect(wrap("abcdeh abcdeh abcdeh", 45, 2)[1]).toBe("abcde…");
    expect(wrap("", 45, 2)).toEqual([]);
    expect(wrap("abc", 1, 2)).toEqual(["a", "b…"]); // a column of no width still ends
  });
});
