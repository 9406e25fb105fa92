import { Type } from "@sinclair/typebox";
import { BulwarkError } from "../../shared/errors.ts";
import type { AnalysisTable, StaticResult, TableCell } from "../../shared/results.ts";
import { type AnalysedAttack, defineAnalysis, type FurtherAttack } from "../define/analysis.ts";
import { choice, int, text } from "../define/index.ts";
import { type BetaDenominator, betaDenominators, countedForBeta, isCleanCorrect, isCorrect, targetOf } from "../metrics/robustness.ts";
import { attackNamed } from "./attackNamed.ts";
import { explainStatic } from "./columns.ts";
import { type Counted, type CurveLine, curveCharts } from "./curveCharts.ts";

export interface CurvePoint extends Counted {
  readonly static: StaticResult | null;
  /** Accuracy under a grey patch at the same places; null for an attack without a patch. */
  readonly covered: number | null;
  /** Why accuracy under the attack is a loose upper bound on robustness; absent where it is none. */
  readonly upperBound?: string;
}
export const curveOf = (data: unknown): readonly CurvePoint[] => (data as { readonly points: readonly CurvePoint[] }).points;

const params = Type.Object({
  attack: text("nPixel", "Attack to repeat: an id, or the key of one of this experiment's attacks, whose other settings are kept."),
  over: text("pixels", "Parameter to vary."),
  values: Type.Array(Type.Number({ fraction: true }), { default: [1, 2, 4, 8, 16], description: "Values of the parameter." }),
  images: int(0, "Only the first so many test images; 0 for all.", { min: 0, unit: "images", standIn: { words: "all", first: 100 } }),
  betaDenominator: choice(
    betaDenominators,
    "cleanCorrect",
    "β counts the attacks on images that the model had right, or those that fooled the undefended arm.",
  ),
});

/** Paper 0, Figure 6: accuracy, robustness δ and defence success β over the size of an attack, of every arm. */
export const robustnessCurve = defineAnalysis({
  id: "robustnessCurve",
  title: "Robustness over the size of an attack",
  paper: "Ghebrechristos & Alaghband 2024",
  params,
  check(p, facts) {
    const { id } = attackNamed(p.attack, facts);
    const schema = facts.attackParams(id).properties;
    const numeric = Object.keys(schema).filter((name) => ["number", "integer"].includes(String(schema[name]?.["type"])));
    if (!numeric.includes(p.over)) throw invalid(`${id} has no numeric parameter "${p.over}"`, `It has: ${numeric.join(", ")}.`);
    if (p.values.length === 0 || new Set(p.values).size < p.values.length)
      throw invalid("values must hold each value once, and at least one", "Write for example [1, 2, 4].");
  },
  attacks: ({ attack, over, values, images }, facts): FurtherAttack[] => {
    const base = attackNamed(attack, facts);
    return values.map((value) => ({
      id: base.id,
      params: { ...base.params, [over]: value },
      key: [base.key, over, value, ...(images > 0 ? [`first-${images}`] : [])].join("-").replaceAll(".", "_"),
      images,
    }));
  },
  async measure(subject, { values, betaDenominator }) {
    return { points: subject.further.map((attack, i) => pointOf(values[i] as number, attack, betaDenominator)) };
  },
  present(arms, { attack, over, betaDenominator }, facts) {
    const { id } = attackNamed(attack, facts);
    const name = facts.attackTitle(id);
    const unit = facts.attackParams(id).properties[over]?.["unit"];
    const label = `${over}${typeof unit === "string" && unit !== over ? ` (${unit})` : ""}`;
    const lines = arms.map(({ report, data }) => ({ name: report.name, points: curveOf(data) }));
    const fooled =
      betaDenominator === "fooledUndefended"
        ? "β counts the attacks that fooled the undefended arm."
        : "β counts the images that were right.";
    return {
      title: `${name} over ${over}`,
      charts: curveCharts(name, label, lines),
      tables: [tableOf(name, label, lines)],
      notes: [explainStatic, `${fooled} Bands are 95 % Wilson intervals.`, ...looseNotes(over, lines)],
    };
  },
});

const invalid = (message: string, fix: string): BulwarkError => new BulwarkError("PARAMETER_INVALID", `robustnessCurve: ${message}.`, fix);

function pointOf(value: number, { records, summary, undefended }: AnalysedAttack, denominator: BetaDenominator): CurvePoint {
  const counted = countedForBeta(records, targetOf(summary.attack), denominator, undefended ?? []);
  return {
    value,
    n: summary.n,
    cleanCorrect: summary.clean.correct,
    attackedCorrect: summary.attacked.correct,
    lost: records.filter((o) => isCleanCorrect(o) && !isCorrect(o)).length,
    defended: counted.filter(isCorrect).length,
    of: counted.length,
    static: summary.static ?? null,
    isStatic: summary.mode === "static",
    covered: summary.covering?.attacked.accuracy ?? null,
    ...(summary.upperBound === undefined ? {} : { upperBound: summary.upperBound }),
  };
}

/** "pixels 4, 8, 16: accuracy under it is an upper bound …", each reason once. */
function looseNotes(over: string, lines: readonly CurveLine<CurvePoint>[]): string[] {
  const points = lines.flatMap((line) => line.points);
  const reasons = new Set(points.flatMap(({ upperBound }) => upperBound ?? []));
  return [...reasons].map((reason) => {
    const values = new Set(points.filter(({ upperBound }) => upperBound === reason).map(({ value }) => value));
    return `${over} ${[...values].join(", ")}: ${reason}`;
  });
}

function tableOf(attack: string, label: string, lines: readonly CurveLine<CurvePoint>[]): AnalysisTable {
  const isPatch = lines.some(({ points }) => points.some(({ covered }) => covered !== null));
  const rows = lines.flatMap(({ name, points }) =>
    points.map((p): TableCell[] => [
      name,
      p.value,
      p.n,
      p.n === 0 ? null : p.cleanCorrect / p.n,
      p.n === 0 || p.isStatic ? null : p.attackedCorrect / p.n,
      p.static?.attacked.accuracy ?? null,
      ...(isPatch ? [p.covered] : []),
      p.n === 0 ? null : (p.cleanCorrect - p.attackedCorrect) / p.n,
      p.of === 0 ? null : p.defended / p.of,
    ]),
  );
  return {
    title: `${attack} in figures`,
    columns: [
      { name: "arm", format: "text" },
      { name: label, format: "number" },
      { name: "images", format: "count" },
      { name: "clean", format: "percent" },
      { name: "adaptive", format: "percent" },
      { name: "static", format: "percent" },
      ...(isPatch ? [{ name: "grey patch", format: "percent" } as const] : []),
      { name: "δ", format: "points" },
      { name: "β", format: "percent" },
    ],
    rows,
  };
}
