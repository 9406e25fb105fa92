import { type Axes, bandOutline, extent, type Line, type Marker, markedPoints, type Plot, ticks } from "./plot.ts";

const escapeXml = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
const width = 640;
const height = 360;
const box = { left: 64, right: 16, bottom: 48 };
const legendTop = 28;
const legendRow = 16;
const named = (plot: Plot): readonly Line[] => plot.lines.filter((line) => !line.faint);
/** The legend has two columns; the drawing begins under it. */
const topOf = (plot: Plot): number => legendTop + legendRow * Math.ceil(named(plot).length / 2) + 6;

interface Scales {
  x(value: number): number;
  y(value: number): number;
  readonly xTicks: readonly number[];
  readonly yTicks: readonly number[];
}

function scalesOf(axes: Axes, plot: Plot): Scales {
  const [left, right] = axes.xRange ?? extent(plot.x, 0);
  const y = (value: number): number => (axes.log ? Math.log10(value) : value);
  const drawn = plot.lines.flatMap((line) => [...line.y, ...(line.band ? [...line.band.low, ...line.band.high] : [])]);
  const values = drawn.filter((v): v is number => v !== null && (!axes.log || v > 0)).map(y);
  const [low, high] = axes.range && !axes.log ? axes.range : extent(values);
  const innerWidth = width - box.left - box.right;
  const top = topOf(plot);
  const innerHeight = height - top - box.bottom;
  return {
    x: (value) => box.left + ((value - left) / (right - left || 1)) * innerWidth,
    y: (value) => top + innerHeight - ((y(value) - low) / (high - low || 1)) * innerHeight,
    xTicks: ticks(left, right, 6),
    yTicks: axes.log ? ticks(Math.ceil(low), Math.floor(high), 4).map((power) => 10 ** power) : ticks(low, high, 5),
  };
}

/** The chart as a file that stands alone: black on white, fonts by family name only. */
export function toSvg(axes: Axes, plot: Plot, colours: readonly string[]): string {
  const scales = scalesOf(axes, plot);
  const right = width - box.right;
  const bottom = height - box.bottom;
  const top = topOf(plot);
  const grid = scales.yTicks.map(
    (v) =>
      `<line x1="${box.left}" x2="${right}" y1="${scales.y(v).toFixed(1)}" y2="${scales.y(v).toFixed(1)}" stroke="#ddd"/>` +
      `<text x="${box.left - 6}" y="${(scales.y(v) + 4).toFixed(1)}" text-anchor="end">${escapeXml(axes.format(v))}</text>`,
  );
  const xAxis = scales.xTicks.map(
    (v) =>
      `<text x="${scales.x(v).toFixed(1)}" y="${bottom + 16}" text-anchor="middle">${escapeXml(axes.xFormat?.(v) ?? String(v))}</text>`,
  );
  const bands = plot.lines.map((line) => {
    const outline = axes.log ? [] : bandOutline(plot.x, line);
    const points = outline.map(([x, y]) => `${scales.x(x).toFixed(1)},${scales.y(y).toFixed(1)}`).join(" ");
    return outline.length === 0
      ? ""
      : `<polygon points="${points}" fill="${colours[line.colour % colours.length] ?? "#000"}" fill-opacity="0.13"/>`;
  });
  const lines = plot.lines.map((line) => lineOf(line, plot.x, scales, colours, axes.log));
  const legend = named(plot).map((line, i) => {
    const x = box.left + (i % 2) * 290;
    const y = legendTop + legendRow * Math.floor(i / 2);
    const colour = colours[line.colour % colours.length] ?? "#000";
    const stroke = `stroke="${colour}" stroke-width="2" stroke-dasharray="${line.dash.join(" ")}"`;
    const sign = `<line x1="${x}" x2="${x + 24}" y1="${y}" y2="${y}" ${stroke}/>${line.marker ? shape(line.marker, x + 12, y, colour) : ""}`;
    return `${sign}<text x="${x + 30}" y="${y + 4}">${escapeXml(line.label)}</text>`;
  });
  const marks = plot.marks.map(
    (mark) =>
      `<line x1="${scales.x(mark.x).toFixed(1)}" x2="${scales.x(mark.x).toFixed(1)}" y1="${top}" y2="${bottom}" stroke="#c00" stroke-dasharray="3 3"/>` +
      `<text x="${scales.x(mark.x).toFixed(1)}" y="${top + 10}" fill="#c00">${escapeXml(mark.text)}</text>`,
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="11">`,
    `<rect width="100%" height="100%" fill="#fff"/>`,
    `<text x="${box.left}" y="14" font-size="13" font-weight="bold">${escapeXml(axes.title)}</text>`,
    ...grid,
    ...xAxis,
    ...bands,
    ...lines,
    ...marks,
    ...legend,
    `<text x="${(box.left + right) / 2}" y="${height - 10}" text-anchor="middle">${escapeXml(axes.x)}</text>`,
    `<text transform="translate(14 ${(top + bottom) / 2}) rotate(-90)" text-anchor="middle">${escapeXml(axes.y)}</text>`,
    "</svg>",
  ].join("\n");
}

function lineOf(line: Line, x: readonly number[], scales: Scales, colours: readonly string[], log: boolean): string {
  const colour = colours[line.colour % colours.length] ?? "#000";
  let path = "";
  let pen = "M";
  const dots: string[] = [];
  const marked = new Set(line.faint ? [] : markedPoints(line.y));
  for (const [i, at] of x.entries()) {
    const value = line.y[i];
    if (value === null || value === undefined || !Number.isFinite(value) || (log && value <= 0)) {
      continue; // not measured here: the line goes on to the next value
    }
    const [px, py] = [scales.x(at), scales.y(value)];
    path += `${pen}${px.toFixed(1)} ${py.toFixed(1)}`;
    pen = "L";
    if (line.marker && marked.has(i)) dots.push(shape(line.marker, px, py, colour));
  }
  const stroke = `stroke="${colour}" stroke-width="${line.faint ? 1 : 2}" stroke-opacity="${line.faint ? 0.35 : 1}"`;
  return `<path d="${path}" fill="none" ${stroke} stroke-dasharray="${line.dash.join(" ")}"/>${dots.join("")}`;
}

function shape(marker: Marker, x: number, y: number, colour: string): string {
  const points: Readonly<Record<Exclude<Marker, "circle">, readonly (readonly [number, number])[]>> = {
    square: [
      [-3, -3],
      [3, -3],
      [3, 3],
      [-3, 3],
    ],
    triangle: [
      [0, -4],
      [4, 3],
      [-4, 3],
    ],
    diamond: [
      [0, -4],
      [4, 0],
      [0, 4],
      [-4, 0],
    ],
  };
  if (marker === "circle") return `<circle cx="${x.toFixed(1)}" cy="${y.toFixed(1)}" r="3" fill="${colour}"/>`;
  return `<polygon points="${points[marker].map(([dx, dy]) => `${(x + dx).toFixed(1)},${(y + dy).toFixed(1)}`).join(" ")}" fill="${colour}"/>`;
}
