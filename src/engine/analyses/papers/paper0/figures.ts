import { percent, points } from "../../../../shared/format.ts";
import { armLabel } from "../../../../shared/labels.ts";
import type { AnalysisChart, AnalysisTable, ChartSeries, TableCell } from "../../../../shared/results.ts";
import type { AnalysedArm, RunFacts } from "../../../define/analysis.ts";
import { type CurvePoint, curveOf } from "../../robustnessCurve.ts";
import { betaOverPixels, byDepth } from "./depth.ts";
import { armOf } from "./match.ts";
import { statements } from "./printed.ts";

/** Figure 5: training loss, and the share of quick attacks that fail, epoch by epoch. */
export function figure5(arms: readonly AnalysedArm[]): AnalysisChart[] {
  const x = { label: "epoch", format: "count" as const };
  const loss = arms.map(
    ({ report, history }, colour): ChartSeries => ({
      label: report.name,
      colour,
      points: history.map(({ epoch, trainLoss }) => ({ x: epoch, y: trainLoss })),
    }),
  );
  const success = arms.map(
    ({ report, history }, colour): ChartSeries => ({
      label: report.name,
      colour,
      points: history.flatMap(({ epoch, quickAttack }) => (quickAttack ? [{ x: epoch, y: defended(quickAttack.successRate) }] : [])),
    }),
  );
  const attack = arms.flatMap(({ history }) => history).find(({ quickAttack }) => quickAttack)?.quickAttack?.id;
  const charts: AnalysisChart[] = [
    { title: "Training loss (Figure 5, left)", x, y: { label: "loss (nats, added up over slices)", format: "number" }, series: loss },
    {
      title: "Defence success while training (Figure 5, right)",
      x,
      y: { label: `β under ${attack ?? "the quick attack"}`, format: "percent", range: [0, 1] },
      series: success,
    },
  ];
  return charts
    .map((chart) => ({ ...chart, series: chart.series.filter(({ points }) => points.length > 0) }))
    .filter(({ series }) => series.length > 0);
}

const defended = (successRate: number | null): number | null => (successRate === null ? null : 1 - successRate);

/** Figures whose values the paper does not print: what it says in words beside ours. */
export function figuresTable(arms: readonly AnalysedArm[], inputShape: RunFacts["inputShape"]): AnalysisTable {
  const rows: TableCell[][] = [
    ["Figure 5", statements.figure5, lastDefended(arms)],
    ["Figure 6 (a)", statements.figure6a, widestGap(arms, "nPixel")],
    ["Figure 6 (b)", statements.figure6b, widestGap(arms, "adversarialPatch")],
    ["Figure 6 (c)", statements.figure6cd, falls(arms, "nPixel")],
    ["Figure 6 (d)", statements.figure6cd, falls(arms, "adversarialPatch")],
    ["Figure 7", statements.figure7, overPixels(arms, inputShape)],
  ];
  return {
    title: "Figures that the paper describes in words",
    columns: ["figure", "the paper", "ours"].map((name) => ({ name, format: "text" })),
    rows: rows.filter(([, , ours]) => ours !== null),
  };
}

function lastDefended(arms: readonly AnalysedArm[]): string | null {
  const parts = arms.flatMap(({ report, history }) => {
    const last = history.findLast(({ quickAttack }) => quickAttack?.successRate !== null && quickAttack?.id === "nPixel");
    const rate = last?.quickAttack?.successRate;
    return last && typeof rate === "number" ? [`${armLabel(report)} ${percent(1 - rate)} after epoch ${last.epoch}`] : [];
  });
  return parts.length === 0 ? null : parts.join("; ");
}

/** The points of the first curve over that attack, of an arm. */
function curveUnder(arm: AnalysedArm | null, attack: string): readonly CurvePoint[] {
  const found = arm?.report.analyses.find(({ id, params }) => id === "robustnessCurve" && String(params["attack"]).startsWith(attack));
  return found ? curveOf(found.data) : [];
}

function widestGap(arms: readonly AnalysedArm[], attack: string): string | null {
  const undefended = new Map(curveUnder(armOf("undefended", arms), attack).map((point) => [point.value, point]));
  const gaps = curveUnder(armOf("I", arms), attack).flatMap((point) => {
    const other = undefended.get(point.value);
    if (!other || point.n === 0) return [];
    return [{ value: point.value, gap: point.attackedCorrect / point.n - other.attackedCorrect / other.n }];
  });
  const widest = gaps.reduce((best, one) => (one.gap > best.gap ? one : best), gaps[0] ?? { value: 0, gap: 0 });
  if (gaps.length === 0) return null;
  if (widest.gap <= 0) return "nowhere less accurate than the defended arm";
  return `at most ${points(widest.gap)} points less accurate, at ${widest.value}`;
}

function falls(arms: readonly AnalysedArm[], attack: string): string | null {
  const points = curveUnder(armOf("I", arms), attack)
    .filter(({ of }) => of > 0)
    .sort((a, b) => a.value - b.value);
  const [first, last] = [points[0], points.at(-1)];
  if (!first || !last || first === last) return null;
  return `β ${percent(first.defended / first.of)} at ${first.value}, ${percent(last.defended / last.of)} at ${last.value}`;
}

function overPixels(arms: readonly AnalysedArm[], inputShape: RunFacts["inputShape"]): string | null {
  const lines = byDepth(arms, inputShape).flatMap(({ arm, label }) => {
    const measured = betaOverPixels(arm).filter(({ of }) => of > 0);
    const ends = measured.length > 1 ? [measured[0], measured.at(-1)] : measured;
    const told = ends.flatMap((p) => (p ? [`${percent(p.defended / p.of)} at N = ${p.pixels}`] : []));
    return told.length > 0 ? [`${label}: β ${told.join(", ")}`] : [];
  });
  return lines.length < 2 ? null : lines.join("; ");
}
