import { Type } from "@sinclair/typebox";
import type { AnalysisChart, ArmReport, ChartSeries } from "../../shared/results.ts";
import { isCleanCorrect, isCorrect } from "../metrics/robustness.ts";
import { gridOf } from "../volumizer/grid.ts";
import { type AnalysedArm, defineAnalysis, type RunFacts } from "./analysis.ts";
import { accuracyCells, accuracyColumns, attackNames, labelOf, point, reportsOf, summaryOf } from "./columns.ts";
import { needsArms, variants } from "./roles.ts";

const remainders = ["error", "reflectPad", "drop"] as const;

/** Slices that an arm's volumizer makes of an image. */
function depthOf({ defense }: ArmReport, [height, width]: RunFacts["inputShape"]): number {
  const { patch, onRemainder } = defense.params;
  return gridOf(height, width, { patch: Number(patch), onRemainder: remainders.find((rule) => rule === onRemainder) ?? "error" }).Z;
}

/** Paper 0, Figure 7: the defence success rate over the depth of the volume, one line for every attack. */
export const depthSweep = defineAnalysis({
  id: "depthSweep",
  title: "Depth of the volume",
  paper: "Ghebrechristos & Alaghband 2024",
  params: Type.Object({}),
  check(_params, { arms, attacks }) {
    const chosen = variants(arms, ({ defense }) => defense, ["patch"]);
    if (chosen.length < 2 || attacks.length === 0)
      throw needsArms(
        "depthSweep",
        'two arms with volumizedCurriculum that differ in "patch" alone, and an attack',
        'Add arms to "compare" with another "patch".',
      );
  },
  present(arms, _params, { inputShape }) {
    const chosen = variants(arms, ({ report }) => report.defense, ["patch"])
      .map((arm) => ({ arm, depth: depthOf(arm.report, inputShape) }))
      .sort((a, b) => a.depth - b.depth);
    const reports = reportsOf(chosen.map(({ arm }) => arm));
    const keys = attackNames(reports);
    return {
      title: "Depth of the volume",
      charts: [chartOf(keys, chosen)],
      tables: [
        {
          title: "By depth",
          columns: [
            { name: "arm", format: "text" },
            { name: "slice, pixels", format: "text" },
            { name: "slices Z", format: "count" },
            ...accuracyColumns(reports),
            ...keys.map((key) => ({ name: `β, ${labelOf(reports, key)}`, format: "percent" as const })),
          ],
          rows: chosen.map(({ arm, depth }) => [
            arm.report.name,
            String(arm.report.defense.params["patch"]),
            depth,
            ...accuracyCells(arm.report, reports),
            ...keys.map((key) => summaryOf(arm.report, key)?.defenseSuccess ?? null),
          ]),
        },
      ],
      notes: ["A smaller slice makes a deeper volume: on 32×32 images 16×16 slices make 4 of them, 8×8 make 16, 4×4 make 64."],
    };
  },
});

function chartOf(keys: readonly string[], chosen: readonly { readonly arm: AnalysedArm; readonly depth: number }[]): AnalysisChart {
  const series = keys.map(
    (key, colour): ChartSeries => ({
      label: labelOf(reportsOf(chosen.map(({ arm }) => arm)), key),
      colour,
      points: chosen.flatMap(({ arm, depth }) => {
        const attack = arm.attacks.find((one) => one.key === key);
        if (!attack) return [];
        const right = attack.records.filter(isCleanCorrect);
        return [point(depth, right.filter(isCorrect).length, right.length)];
      }),
    }),
  );
  return {
    title: "Defence success β over the depth of the volume",
    x: { label: "slices Z", format: "count" },
    y: { label: "β", format: "percent", range: [0, 1] },
    series,
  };
}
