import { Type } from "@sinclair/typebox";
import { BulwarkError } from "../../shared/errors.ts";
import { choiceLabel } from "../../shared/labels.ts";
import type { AnalysisChart, ArmReport, ChartSeries, TableCell } from "../../shared/results.ts";
import { type AnalysedArm, defineAnalysis, type Presentation } from "../define/analysis.ts";
import { choice, int } from "../define/index.ts";
import { microAverageRoc, thin } from "../metrics/roc.ts";
import { labelOf, reportsOf, summaryOf } from "./columns.ts";
import {
  attackOf,
  type CurveChoice,
  type DetectedRow,
  detectedRows,
  lowestRate,
  onAxis,
  type RateAxis,
  rateAxes,
  rocCharts,
} from "./detectorCurves.ts";

/** ROC of one arm under one attack (`null`: clean). `points` are [false positive rate, true positive rate], thinned; the area is exact. */
export interface RocData {
  readonly curves: readonly {
    readonly attack: string | null;
    readonly auc: number | null;
    readonly points: readonly (readonly [number, number])[];
  }[];
}
export const rocOf = (data: unknown): RocData["curves"] => (data as RocData).curves;

/** Paper 0, Figure 8: micro-average ROC over the classes, under every attack and without one. Paper 3, Figure 3: ROC of detectors. */
export const rocCurve = defineAnalysis({
  id: "rocCurve",
  title: "ROC curves",
  paper: "Ghebrechristos & Alaghband 2024",
  params: Type.Object({
    of: choice(["classes", "detectors"], "classes", "Whose curves: of the classes' scores, or of the experiment's detectors."),
    axis: choice(["linear", "log"], "linear", "Axis of the false-positive rate; a logarithmic one shows the small rates."),
    apart: choice(["attack", "detector", "none"], "attack", "Of detectors: a chart for each attack, for each detector, or one for all."),
    resolution: int(200, "Resolution of a curve of classes: a point wherever a rate has moved by 1/points.", { min: 20, max: 2000 }),
  }),
  check({ of }, { attacks, detectors }) {
    if (of === "detectors" && (detectors.length === 0 || attacks.length === 0))
      throw new BulwarkError(
        "EXPERIMENT_INVALID",
        `rocCurve is to show detectors, and the experiment has no ${detectors.length === 0 ? "detector" : "attack"}.`,
        detectors.length === 0 ? 'Add one to "detectors", such as {"kind": "softmaxEntropy"}.' : 'Add one to "attacks".',
      );
  },
  async measure(subject, { of, resolution }, ctx): Promise<RocData> {
    const curves: RocData["curves"][number][] = [];
    if (of === "detectors") return { curves }; // the report has them
    for (const attack of [null, ...subject.attacks.map(({ key }) => key)]) {
      const { probabilities, labels, classes } = await subject.scores(attack);
      const curve = microAverageRoc(probabilities, labels, classes);
      const points = curve ? thin(curve, resolution).map((p) => [p.falsePositiveRate, p.truePositiveRate] as const) : [];
      curves.push({ attack, auc: curve?.auc ?? null, points });
      await ctx.checkpoint();
    }
    return { curves };
  },
  present: (arms, { of, axis, apart }) =>
    of === "detectors" ? ofDetectors(detectedRows(reportsOf(arms)), { axis, apart }) : ofClasses(arms, axis),
});

function ofClasses(arms: readonly AnalysedArm[], axis: RateAxis): Presentation {
  const attacks = [...new Set(arms.flatMap(({ data }) => rocOf(data).map(({ attack }) => attack)))];
  return {
    title: "Micro-average ROC",
    charts: attacks.filter((attack) => attack !== null).map((attack) => chartOf(attack, arms, axis)),
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
}

/** Charts of all detectors, and their areas side by side: against attacks that do not know them, and against those that evade them. */
function ofDetectors(rows: readonly DetectedRow[], choice: CurveChoice): Presentation {
  const columns = [...new Map(rows.map((row) => [columnOf(row), row])).values()];
  const lines = [...new Map(rows.map((row) => [lineOf(row), row])).values()];
  const area = (line: DetectedRow, column: DetectedRow): number | null =>
    rows.find((row) => lineOf(row) === lineOf(line) && columnOf(row) === columnOf(column))?.found.auc ?? null;
  return {
    title: "ROC of detectors",
    charts: rocCharts(rows, choice),
    tables: [
      {
        title: "Area under the curve",
        columns: [
          { name: "arm", format: "text" },
          { name: "detector", format: "text" },
          ...columns.map((row) => ({ name: `${attackOf(row)}${row.found.adaptive ? ", evading" : ""}`, format: "number" as const })),
        ],
        rows: lines.map((line): TableCell[] => [line.arm.name, choiceLabel(line.detector), ...columns.map((column) => area(line, column))]),
      },
    ],
    notes: ["Dashed: the attack does not know the detector. The other curves are of attacks that evade it as well: quote those."],
  };
}

const columnOf = ({ found }: DetectedRow): string => JSON.stringify([found.attack, found.adaptive]);
const lineOf = ({ arm, detector }: DetectedRow): string => JSON.stringify([arm.name, detector.key]);

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

function chartOf(attack: string, arms: readonly AnalysedArm[], axis: RateAxis): AnalysisChart {
  const lines = arms.flatMap(({ report, data }, colour) => {
    const curve = rocOf(data).find((one) => one.attack === attack);
    return curve
      ? [{ label: report.name, colour, points: curve.points.map(([x, y]) => ({ falsePositiveRate: x, truePositiveRate: y })) }]
      : [];
  });
  const curves = lines.map(({ points }) => points);
  return {
    title: `ROC under ${labelOf(reportsOf(arms), attack)}`,
    ...rateAxes(axis, { x: "false positive rate", y: "true positive rate", curves }),
    series: lines.map((line): ChartSeries => ({ ...line, points: onAxis(line.points, axis, lowestRate(curves)) })),
  };
}
