import { attackLabel, choiceLabel } from "../../shared/labels.ts";
import { keysOf } from "../../shared/ledger.ts";
import type { AnalysisChart, ArmReport, ChartPoint, ChartSeries, DetectedAttack, DetectorResult, RocPoint } from "../../shared/results.ts";

/** A detector on an arm against one attack. */
export interface DetectedRow {
  readonly arm: ArmReport;
  readonly detector: DetectorResult;
  readonly found: DetectedAttack;
}
export const detectedRows = (arms: readonly ArmReport[]): DetectedRow[] =>
  arms.flatMap((arm) => arm.detectors.flatMap((detector) => detector.results.map((found) => ({ arm, detector, found }))));

/** What the arm's report calls the attack. */
export function attackOf({ arm: { attacks, ...arm }, found: { attack } }: DetectedRow): string {
  const summary = attacks[keysOf({ ...arm, attacks }).indexOf(attack)];
  return summary ? attackLabel(summary) : attack;
}

export interface CurveChoice {
  /** A chart for each attack, for each detector, or a single one. */
  readonly apart: "attack" | "detector" | "none";
  /** Of the rate of false alarms. */
  readonly axis: RateAxis;
}
export type RateAxis = "linear" | "log";

/** ROC curves: dashed where the attack does not know the detector, "evaded" where it does; lines of one detector and attack share a colour. */
export function rocCharts(rows: readonly DetectedRow[], { apart, axis }: CurveChoice): AnalysisChart[] {
  const groupOf = ({ detector, found }: DetectedRow): string => ({ attack: found.attack, detector: detector.key, none: "" })[apart];
  const groups = [...new Set(rows.map(groupOf))].map((group) => rows.filter((row) => groupOf(row) === group));
  return groups.map((group) => {
    const titles = { attack: `ROC of detectors under ${attackOf(group[0] as DetectedRow)}`, detector: `ROC of ${labelOf(group)}` };
    return {
      title: apart === "none" ? "ROC of detectors" : titles[apart],
      ...rateAxes(axis, {
        x: "share of clean images flagged",
        y: "share of attacked images flagged",
        curves: group.map(({ found }) => found.points),
      }),
      series: seriesOf(group, { apart, axis }, new Set(rows.map(({ arm }) => arm.name)).size > 1),
    };
  });
}

const labelOf = (group: readonly DetectedRow[]): string => choiceLabel((group[0] as DetectedRow).detector);

function seriesOf(group: readonly DetectedRow[], { apart, axis }: CurveChoice, hasArms: boolean): ChartSeries[] {
  const lineOf = (row: DetectedRow): string =>
    [
      hasArms ? row.arm.name : "",
      apart === "detector" ? "" : choiceLabel(row.detector),
      apart === "attack" ? "" : attackOf(row),
      row.found.adaptive ? "evaded" : "",
    ]
      .filter((part) => part !== "")
      .join(", ");
  const pairs = group.map(({ arm, detector, found }) => JSON.stringify([arm.name, detector.key, found.attack]));
  const low = lowestRate(group.map(({ found }) => found.points));
  return group.flatMap((row, i): ChartSeries[] => {
    const points = onAxis(row.found.points, axis, low);
    if (points.length === 0) return [];
    const label = lineOf(row) || "not evaded";
    return [{ label, colour: [...new Set(pairs)].indexOf(pairs[i] as string), ...(row.found.adaptive ? {} : { isDashed: true }), points }];
  });
}

/** Axes of both rates; a logarithmic one begins at the lowest rate of the curves. */
export function rateAxes(
  axis: RateAxis,
  { x, y, curves }: { readonly x: string; readonly y: string; readonly curves: readonly (readonly RocPoint[])[] },
): Pick<AnalysisChart, "x" | "y"> {
  const range = axis === "log" ? { range: [lowestRate(curves), 1] as const, scale: "log" as const } : { range: [0, 1] as const };
  return { x: { label: x, format: "number", ...range }, y: { label: y, format: "number", range: [0, 1] } };
}

/** The smallest share of clean images above 0 that a curve tells; at most 0.1. */
export const lowestRate = (curves: readonly (readonly RocPoint[])[]): number =>
  Math.min(0.1, ...curves.flatMap((points) => points.map(({ falsePositiveRate }) => falsePositiveRate).filter((rate) => rate > 0)));

/** Between points of a curve, a logarithmic axis bends the straight line: so many places for each factor of ten. */
const perDecade = 20;

/** The points of a curve on an axis of rates; on a logarithmic one from `low` on, with places between them, as the lines are straight in the rates. */
export function onAxis(points: readonly RocPoint[], axis: RateAxis, low: number): ChartPoint[] {
  if (axis !== "log") return points.map(({ falsePositiveRate: x, truePositiveRate: y }) => ({ x, y }));
  const places = Array.from({ length: Math.ceil(-Math.log10(low) * perDecade) }, (_, i) => low * 10 ** (i / perDecade));
  return points.flatMap(({ falsePositiveRate: x, truePositiveRate: y }, i): ChartPoint[] => {
    const before = points[i - 1];
    const between = before ? places.filter((place) => place > before.falsePositiveRate && place < x) : [];
    const at = (place: number): number => {
      const { falsePositiveRate: from, truePositiveRate: up } = before as RocPoint;
      return up + ((place - from) / (x - from)) * (y - up);
    };
    return [...between.map((place) => ({ x: place, y: at(place) })), ...(x >= low ? [{ x, y }] : [])];
  });
}
