import { Type } from "@sinclair/typebox";
import type { AnalysisChart, ArmReport, ChartSeries, TableCell } from "../../shared/results.ts";
import { type AnalysedArm, defineAnalysis } from "../define/analysis.ts";
import { int } from "../define/index.ts";
import { microAverageRoc, thin } from "../metrics/roc.ts";
import { labelOf, reportsOf, summaryOf } from "./columns.ts";

/** ROC of one arm under one attack (`null`: clean). `points` are [false positive rate, true positive rate], thinned; the area is exact. */
export interface RocData {
  readonly curves: readonly {
    readonly attack: string | null;
    readonly auc: number | null;
    readonly points: readonly (readonly [number, number])[];
  }[];
}
export const rocOf = (data: unknown): RocData["curves"] => (data as RocData).curves;

/** Paper 0, Figure 8: micro-average ROC over the classes, under every attack of the experiment and without one. */
export const rocCurve = defineAnalysis({
  id: "rocCurve",
  title: "Micro-average ROC",
  paper: "Ghebrechristos & Alaghband 2024",
  params: Type.Object({
    resolution: int(200, "Resolution of a curve: a point wherever a rate has moved by 1/points.", { min: 20, max: 2000 }),
  }),
  async measure(subject, { resolution }, ctx): Promise<RocData> {
    const curves = [];
    for (const attack of [null, ...subject.attacks.map(({ key }) => key)]) {
      const { probabilities, labels, classes } = await subject.scores(attack);
      const curve = microAverageRoc(probabilities, labels, classes);
      const points = curve ? thin(curve, resolution).map((p) => [p.falsePositiveRate, p.truePositiveRate] as const) : [];
      curves.push({ attack, auc: curve?.auc ?? null, points });
      await ctx.checkpoint();
    }
    return { curves };
  },
  present(arms) {
    const attacks = [...new Set(arms.flatMap(({ data }) => rocOf(data).map(({ attack }) => attack)))];
    return {
      title: "Micro-average ROC",
      charts: attacks.filter((attack) => attack !== null).map((attack) => chartOf(attack, arms)),
      tables: [
        {
          title: "Area under the curve",
          columns: [
            { name: "arm", format: "text" },
            ...attacks.map((attack) => ({ name: attack === null ? "clean" : labelOf(reportsOf(arms), attack), format: "number" as const })),
          ],
          rows: arms.map(({ report, data }): TableCell[] => [
            report.name,
            ...attacks.map((attack) => rocOf(data).find((curve) => curve.attack === attack)?.auc ?? null),
          ]),
        },
      ],
      notes: [
        "One class against the rest, all classes pooled: with k classes k − 1 of k entries are negatives, so the area is high even for a weak classifier.",
        ...madeHow(reportsOf(arms), attacks),
      ],
    };
  },
});

/** Which attacks know the defence: scores are those of the attack that was made on the arm, and a patch of mode transfer knows none. */
function madeHow(arms: readonly ArmReport[], attacks: readonly (string | null)[]): string[] {
  const keys = attacks.filter((key) => key !== null);
  const statics = keys.filter((key) => arms.some((arm) => summaryOf(arm, key)?.mode === "static"));
  if (keys.length === 0) return [];
  if (statics.length === 0) return ["Attacks are adaptive."];
  const names = statics.map((key) => labelOf(arms, key)).join(", ");
  const others = statics.length < keys.length ? "; the other attacks are adaptive" : "";
  return [`Static, made against the undefended arm and only shown to the defended ones: ${names}${others}.`];
}

function chartOf(attack: string, arms: readonly AnalysedArm[]): AnalysisChart {
  return {
    title: `ROC under ${labelOf(reportsOf(arms), attack)}`,
    x: { label: "false positive rate", format: "number", range: [0, 1] },
    y: { label: "true positive rate", format: "number", range: [0, 1] },
    series: arms.flatMap(({ report, data }, colour): ChartSeries[] => {
      const curve = rocOf(data).find((one) => one.attack === attack);
      return curve ? [{ label: report.name, colour, points: curve.points.map(([x, y]) => ({ x, y })) }] : [];
    }),
  };
}
