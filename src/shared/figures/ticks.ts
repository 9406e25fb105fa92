import { cellText, type Format } from "../analysisCell.ts";
import type { Axis } from "./figure.ts";

/** Round values in [low, high]: 1, 2 or 5 times a power of ten apart, about `wanted` of them, fewer where they would be more. */
export function ticks(low: number, high: number, wanted: number): number[] {
  const step = stepOf(low, high, wanted);
  const [first, last] = [Math.ceil(low / step - 1e-9), Math.floor(high / step + 1e-9)];
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

function stepOf(low: number, high: number, wanted: number): number {
  const raw = (high - low || 1) / Math.max(1, wanted);
  const power = 10 ** Math.floor(Math.log10(raw));
  return power * ([1, 2, 5, 10].find((m) => m * power >= raw * 0.999) ?? 10);
}

export interface Scale {
  readonly low: number;
  readonly high: number;
  readonly ticks: readonly { readonly value: number; readonly text: string }[];
  /** Share of the way from the low end to the high one; null where the value has no place (NaN, or no logarithm). */
  at(value: number): number | null;
}
export interface ScaleOptions {
  readonly wanted: number;
  readonly ends?: Ends;
}
/**
 * Where an axis ends: at the first and the last value (the default); at round values, and at 0 where the values are shares or come near it; or
 * a little beyond the values (shares of a whole never beyond 0 and 1), which keeps the points as far apart as possible.
 */
export type Ends = "values" | "round" | "margin";

/** Where the values of an axis lie and what is written on it. Values that have no place are passed over. */
export function scaleOf(axis: Axis, values: readonly number[], o: ScaleOptions): Scale {
  if (axis.scale === "log") return logScale(axis, values, o);
  const finite = values.filter(Number.isFinite);
  const [low, high] = axis.range ?? endsOf(axis.format, finite, o);
  const places = ticks(low, high, o.wanted).filter((value) => axis.format !== "count" || Number.isInteger(value));
  const texts = tickTexts(places, axis.format);
  return {
    low,
    high,
    ticks: places.map((value, i) => ({ value, text: texts[i] as string })),
    at: (value) => (Number.isFinite(value) ? (value - low) / (high - low || 1) : null),
  };
}

function endsOf(format: Format, values: readonly number[], { ends = "values", wanted }: ScaleOptions): readonly [number, number] {
  if (ends === "round") return roundEnds(format, values, wanted);
  if (ends === "values" || values.length === 0) return ownEnds(values);
  const [min, max] = extremes(values);
  const beyond = margin * (max - min) || (format === "percent" ? 0.05 : Math.abs(max) / 2 || 1);
  const isShare = format === "percent" && min >= 0 && max <= 1;
  return isShare ? [Math.max(0, min - beyond), Math.min(1, max + beyond)] : [min - beyond, max + beyond];
}

/** At each end, as a share of the values' range. */
const margin = 0.06;

/** A single value gets room on both sides: an axis without length cannot be drawn. */
function ownEnds(values: readonly number[]): readonly [number, number] {
  if (values.length === 0) return [0, 1];
  const [low, high] = extremes(values);
  return low === high ? [low - (Math.abs(low) || 1), high + (Math.abs(high) || 1)] : [low, high];
}

const sharesOfAWhole: readonly Format[] = ["percent", "points", "difference", "count"];

function roundEnds(format: Format, values: readonly number[], wanted: number): readonly [number, number] {
  if (values.length === 0) return [0, 1];
  const [min, max] = extremes(values);
  const isNearZero = sharesOfAWhole.includes(format) || min === max || (min >= 0 && min <= max / 2) || (max <= 0 && max >= min / 2);
  const [low, high] = isNearZero ? [Math.min(min, 0), Math.max(max, 0)] : [min, max];
  const [from, to] = low === high ? [low, high + (Math.abs(high) || 1)] : [low, high];
  const step = stepOf(from, to, wanted);
  return [Math.floor(from / step + 1e-9) * step, Math.ceil(to / step - 1e-9) * step];
}

const extremes = (values: readonly number[]): [number, number] =>
  values.reduce(
    ([low, high], value) => [Math.min(low, value), Math.max(high, value)] as [number, number],
    [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
  );

/** Powers of ten, and 2 and 5 times them where the axis spans less than two. */
function logScale(axis: Axis, values: readonly number[], { wanted, ends }: ScaleOptions): Scale {
  const positive = [...(axis.range ?? values)].filter((value) => value > 0 && Number.isFinite(value));
  const [min, max] = positive.length > 0 ? extremes(positive) : [0.1, 1];
  if (ends === "margin") return logScaleBeyond(axis, [min, max], wanted);
  const [low, high] = [
    Math.floor(Math.log10(min) + 1e-9),
    Math.max(Math.floor(Math.log10(min) + 1e-9) + 1, Math.ceil(Math.log10(max) - 1e-9)),
  ];
  const stride = Math.ceil((high - low) / Math.max(1, wanted));
  const powers = Array.from({ length: Math.floor((high - low) / stride) + 1 }, (_, i) => low + i * stride);
  const places =
    high - low < 2
      ? powers.flatMap((p) => [1, 2, 5].map((m) => m * 10 ** p)).filter((v) => v <= 10 ** high * 1.0001)
      : powers.map((p) => 10 ** p);
  return {
    low: 10 ** low,
    high: 10 ** high,
    ticks: places.map((value) => ({ value, text: cellText(value, axis.format) })),
    at: logShare(low, high),
  };
}

const logShare =
  (low: number, high: number) =>
  (value: number): number | null =>
    value > 0 && Number.isFinite(value) ? (Math.log10(value) - low) / (high - low) : null;

/** Ends a little beyond the values. Ticks are those of whole powers that lie inside, or round values where there are fewer than three. */
function logScaleBeyond(axis: Axis, [min, max]: readonly [number, number], wanted: number): Scale {
  const beyond = margin * Math.log10(max / min) || 0.1;
  const [low, high] = [Math.log10(min) - beyond, Math.log10(max) + beyond];
  const inside = (scale: Scale) => scale.ticks.filter(({ value }) => value >= 10 ** low && value <= 10 ** high);
  const powers = inside(logScale({ ...axis, range: [min, max] }, [], { wanted }));
  const round = ticks(10 ** low, 10 ** high, wanted).map((value) => ({ value, text: cellText(value, axis.format) }));
  return { low: 10 ** low, high: 10 ** high, ticks: powers.length > 2 ? powers : round, at: logShare(low, high) };
}

/** The ticks of one axis with as many decimals as tell them apart, and no more: "20 %", "0.25". */
export function tickTexts(values: readonly number[], format: Format): string[] {
  if (format !== "percent" && format !== "points" && format !== "difference") return values.map((value) => cellText(value, format));
  const decimals = [0, 1].find((d) => values.every((v) => Math.abs(v * 100 - Number((v * 100).toFixed(d))) < 1e-6)) ?? 2;
  return values.map((value) => cellText(value, format, decimals));
}
