import type { AnalysisChart, ChartPoint, ChartSeries } from "../../shared/results.ts";
import { point } from "./columns.ts";

/** One value of an attack's parameter on one arm. Counts rather than shares, so that intervals can be drawn. */
export interface Counted {
  readonly value: number;
  readonly n: number;
  readonly cleanCorrect: number;
  readonly attackedCorrect: number;
  /** Right before the attack and wrong after it, of all images. */
  readonly lost: number;
  /** β of the chosen denominator: right under attack, of so many. */
  readonly defended: number;
  readonly of: number;
  /** The attack itself was made against the undefended arm. */
  readonly isStatic: boolean;
  readonly static: { readonly n: number; readonly attacked: { readonly correct: number } } | null;
}
export interface CurveLine<P extends Counted = Counted> {
  readonly name: string;
  readonly points: readonly P[];
}

/** Accuracy (static dashed), δ and β over the values: three charts, one colour an arm. */
export function curveCharts(attack: string, label: string, lines: readonly CurveLine[]): AnalysisChart[] {
  const isWhole = lines.every(({ points }) => points.every(({ value }) => Number.isInteger(value)));
  const x = { label, format: isWhole ? ("count" as const) : ("number" as const) };
  const own = (of: (p: Counted) => ChartPoint): ChartSeries[] =>
    lines.map(({ name, points }, colour) => {
      const isStatic = points.some((p) => p.isStatic);
      return { label: isStatic ? `${name}, static` : name, colour, points: points.map(of), ...(isStatic ? { isDashed: true } : {}) };
    });
  return [
    {
      title: `Accuracy under ${attack}`,
      x,
      y: { label: "accuracy", format: "percent", range: [0, 1] },
      series: [...own((p) => point(p.value, p.attackedCorrect, p.n)), ...statics(lines)],
    },
    {
      title: `Robustness δ under ${attack}`,
      x,
      y: { label: "δ (percentage points)", format: "points" },
      series: own(lost),
    },
    {
      title: `Defence success β under ${attack}`,
      x,
      y: { label: "β", format: "percent", range: [0, 1] },
      series: own((p) => point(p.value, p.defended, p.of)),
    },
  ];
}

function statics(lines: readonly CurveLine[]): ChartSeries[] {
  return lines.flatMap(({ name, points }, colour): ChartSeries[] => {
    const measured = points.flatMap((p) => (p.static && !p.isStatic ? [point(p.value, p.static.attacked.correct, p.static.n)] : []));
    return measured.length === 0 ? [] : [{ label: `${name}, static`, colour, isDashed: true, points: measured }];
  });
}

/** δ with the interval of the share of images that were lost; where an attack also repaired images there is no such share, hence no band. */
function lost(p: Counted): ChartPoint {
  const difference = p.cleanCorrect - p.attackedCorrect;
  if (p.lost === difference) return point(p.value, difference, p.n);
  return { x: p.value, y: p.n === 0 ? null : difference / p.n };
}
