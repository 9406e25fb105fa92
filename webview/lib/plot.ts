/** What a chart shows, apart from how it is drawn; shared by the picture, the table and the saved files. */
export interface Line {
  readonly label: string;
  /** Place in the theme's chart colours. */
  readonly colour: number;
  /** Dashes and marker differ with the colour, so that colour is never the only sign. */
  readonly dash: readonly number[];
  readonly marker: Marker | null;
  readonly faint?: boolean;
  readonly y: readonly (number | null)[];
  /** Ends of a band around the line, where it is known. */
  readonly band?: { readonly low: readonly (number | null)[]; readonly high: readonly (number | null)[] };
}
export type Marker = "circle" | "square" | "triangle" | "diamond";
export interface Mark {
  readonly x: number;
  readonly text: string;
  /** Something went wrong here. */
  readonly severe?: boolean;
}
export interface Plot {
  readonly x: readonly number[];
  readonly lines: readonly Line[];
  readonly marks: readonly Mark[];
}
export interface Axes {
  readonly title: string;
  readonly x: string;
  readonly y: string;
  readonly format: (value: number) => string;
  /** Of the x axis; without one only whole numbers are written there. */
  readonly xFormat?: (value: number) => string;
  readonly log: boolean;
  /** Ends of the y axis; taken from the data when left out. */
  readonly range?: readonly [number, number];
  readonly xRange?: readonly [number, number];
}

export const markers: readonly Marker[] = ["circle", "square", "triangle", "diamond"];
export const dashes: readonly (readonly number[])[] = [[], [6, 4], [2, 3], [10, 3, 2, 3]];

const quote = (text: string): string => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

export function toCsv(axes: Axes, plot: Plot): string {
  const lines = plot.lines.filter((line) => !line.faint);
  const columns = lines.flatMap(({ label, y, band }) => [
    { name: label, values: y },
    ...(band
      ? [
          { name: `${label}, low`, values: band.low },
          { name: `${label}, high`, values: band.high },
        ]
      : []),
  ]);
  const rows = plot.x.map((x, i) => [x, ...columns.map(({ values }) => values[i] ?? "")].join(","));
  return `${[[axes.x, ...columns.map(({ name }) => name)].map(quote).join(","), ...rows].join("\n")}\n`;
}

/** Exponential moving average with the bias of the first points taken out (Kingma & Ba's correction); weight 0 leaves the line as it is. */
export function smooth(y: readonly (number | null)[], weight: number): (number | null)[] {
  let mean = 0;
  let total = 0;
  return y.map((value) => {
    if (value === null || !Number.isFinite(value)) return value;
    mean = weight * mean + (1 - weight) * value;
    total = weight * total + (1 - weight);
    return mean / total;
  });
}

/** Places of a line's markers: all of a few points, about twelve of many, the last one always. */
export function markedPoints(y: readonly (number | null)[]): number[] {
  const finite = y.flatMap((value, i) => (value !== null && Number.isFinite(value) ? [i] : []));
  const stride = finite.length <= 24 ? 1 : Math.ceil(finite.length / 12);
  return finite.filter((_, k) => (finite.length - 1 - k) % stride === 0);
}

/** Outline of a line's band, [x, y] up along the high ends and back along the low ones; empty where fewer than two places have one. */
export function bandOutline(x: readonly number[], line: Line): (readonly [number, number])[] {
  const { band } = line;
  if (!band) return [];
  const places = x.flatMap((at, i) => {
    const [low, high] = [band.low[i], band.high[i]];
    return typeof low === "number" && typeof high === "number" ? [{ at, low, high }] : [];
  });
  if (places.length < 2) return [];
  return [...places.map(({ at, high }) => [at, high] as const), ...places.toReversed().map(({ at, low }) => [at, low] as const)];
}

/** Round tick values: 1, 2 or 5 times a power of ten, about `wanted` of them. */
export function ticks(low: number, high: number, wanted: number): number[] {
  const span = high - low || 1;
  const raw = span / Math.max(1, wanted);
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = power * ([1, 2, 5, 10].find((m) => m * power >= raw * 0.999) ?? 10);
  const out: number[] = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + step * 1e-9; k++) out.push(Number((k * step).toPrecision(12)));
  return out;
}

/** Ends of the finite values, a little air around them; (0, 1) when there is none. */
export function extent(values: Iterable<number | null>, air = 0.05): [number, number] {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const value of values) {
    if (value === null || !Number.isFinite(value)) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  if (low > high) return [0, 1];
  const margin = (high - low || Math.abs(high) || 1) * air;
  return [low - margin, high + margin];
}
