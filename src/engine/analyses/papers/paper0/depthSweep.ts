import { Type } from "@sinclair/typebox";
import type { AnalysisChart, ChartSeries } from "../../../../shared/results.ts";
import { defineAnalysis } from "../../../define/analysis.ts";
import { countedForBeta, isCorrect, targetOf } from "../../../metrics/robustness.ts";
import { accuracyCells, accuracyColumns, attackNames, labelOf, point, reportsOf, summaryOf } from "../../columns.ts";
import { betaOverPixels, byDepth, type DeepArm, differInDepth } from "./depth.ts";
import { needsArms } from "./roles.ts";

/**
 * Paper 0, Figure 7: the defence success rate over the pixels attacked, one line for every size of the slices, where the experiment
 * measured it; and over the depth of the volume, one line for every attack.
 */
export const depthSweep = defineAnalysis({
  id: "depthSweep",
  title: "Depth of the volume",
  paper: "Ghebrechristos & Alaghband 2024",
  params: Type.Object({}),
  check(_params, { arms, attacks }) {
    const chosen = differInDepth(arms, ({ defense }) => defense);
    if (chosen.length < 2 || attacks.length === 0)
      throw needsArms(
        "depthSweep",
        'two arms with volumizedCurriculum that differ in "patch" alone, and an attack',
        'Add arms to "compare" with another "patch".',
      );
  },
  present(arms, _params, { inputShape }) {
    const chosen = byDepth(arms, inputShape);
    const reports = reportsOf(chosen.map(({ arm }) => arm));
    const keys = attackNames(reports);
    return {
      title: "Depth of the volume",
      charts: [chartOf(keys, chosen), ...overPixels(chosen)],
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

function chartOf(keys: readonly string[], chosen: readonly DeepArm[]): AnalysisChart {
  const series = keys.map(
    (key, colour): ChartSeries => ({
      label: labelOf(reportsOf(chosen.map(({ arm }) => arm)), key),
      colour,
      points: chosen.flatMap(({ arm, depth }) => {
        const attack = arm.attacks.find((one) => one.key === key);
        if (!attack) return [];
        const counted = countedForBeta(attack.records, targetOf(attack.summary.attack));
        return [point(depth, counted.filter(isCorrect).length, counted.length)];
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

/** β over N, from what other parts of the experiment measured: nothing is attacked for it. No chart where one N alone was. */
function overPixels(chosen: readonly DeepArm[]): AnalysisChart[] {
  const series = chosen
    .map(({ arm, label }, colour): ChartSeries => {
      const points = betaOverPixels(arm).map(({ pixels, defended, of }) => point(pixels, defended, of));
      return { label, colour, points };
    })
    .filter(({ points }) => points.length > 1);
  if (series.length === 0) return [];
  return [
    {
      title: "Defence success β over the pixels attacked (Figure 7)",
      x: { label: "pixels N", format: "count" },
      y: { label: "β", format: "percent", range: [0, 1] },
      series,
    },
  ];
}
