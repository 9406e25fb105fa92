import { Type } from "@sinclair/typebox";
import { count } from "../../../../shared/format.ts";
import type { ArmReport } from "../../../../shared/results.ts";
import { defineAnalysis } from "../../../define/analysis.ts";
import { accuracyCells, accuracyColumns, explainStatic, reportsOf } from "../../columns.ts";
import { groupBy } from "../../groupBy.ts";
import { needsArms, type Role, roleOf, switches, variants } from "./roles.ts";

const order: readonly Role[] = ["I", "I-Vol", "I-CL", "neither", "undefended"];
const meaning: Readonly<Record<Role, string>> = {
  I: "volumizer and curriculum",
  "I-Vol": "volumizer without curriculum",
  "I-CL": "curriculum without volumizer",
  neither: "neither",
  undefended: "no defence",
};

/** Paper 0, Table 6: what the volumizer and the curriculum contribute, each arm beside the full method. */
export const ablation = defineAnalysis({
  id: "ablation",
  title: "Ablation",
  paper: "Ghebrechristos & Alaghband 2024",
  params: Type.Object({}),
  check(_params, { arms }) {
    const roles = new Set(variants(arms, ({ defense }) => defense, switches).map(({ defense }) => roleOf(defense)));
    if (!roles.has("I") || !(roles.has("I-Vol") || roles.has("I-CL")))
      throw needsArms(
        "ablation",
        "an arm with volumizedCurriculum and one with half of it switched off",
        'Add arms to "compare" with "volumizer": false or "curriculum": false.',
      );
  },
  present(arms) {
    const undefended = arms.filter(({ report }) => roleOf(report.defense) === "undefended");
    const chosen = [...variants(arms, ({ report }) => report.defense, switches), ...undefended];
    const rows = chosen
      .flatMap((arm) => {
        const role = roleOf(arm.report.defense);
        return role === null ? [] : [{ role, arm: arm.report }];
      })
      .sort((a, b) => order.indexOf(a.role) - order.indexOf(b.role));
    const reports = reportsOf(chosen);
    const columns = accuracyColumns(reports);
    return {
      title: "Ablation: volumizer and curriculum",
      charts: [],
      tables: [
        {
          title: "Accuracy with and without each half",
          columns: [{ name: "arm", format: "text" }, { name: "paper's name", format: "text" }, { name: "has", format: "text" }, ...columns],
          rows: rows.map(({ role, arm }) => [arm.name, role === "neither" ? null : role, meaning[role], ...accuracyCells(arm, reports)]),
        },
      ],
      notes: [explainStatic, ...stepsNote(rows.map(({ arm }) => arm))],
    };
  },
});

/** Arms of other numbers of optimiser steps differ in more than their switches; nothing where all take as many, or where it is not known. */
function stepsNote(arms: readonly ArmReport[]): readonly string[] {
  const known = arms.flatMap(({ name, training }) => (training?.steps === undefined ? [] : [{ name, steps: training.steps }]));
  const groups = [...groupBy(known, ({ steps }) => String(steps)).values()];
  if (groups.length < 2) return [];
  const told = groups.map((group) => `${group.map(({ name }) => name).join(", ")} ${count(group[0]?.steps ?? 0)}`).join("; ");
  return [
    `These arms were not trained for as many optimiser steps: ${told}. Their difference is also that of smaller and larger batches. The control of a curriculum has "curriculum": false and as "microBatch" the images that the curriculum takes to a step, by default an eighth of the batch.`,
  ];
}
