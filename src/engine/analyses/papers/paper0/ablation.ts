import { Type } from "@sinclair/typebox";
import { defineAnalysis } from "../../../define/analysis.ts";
import { accuracyCells, accuracyColumns, explainStatic, reportsOf } from "../../columns.ts";
import { needsArms, type Role, roleOf, variants } from "./roles.ts";

const order: readonly Role[] = ["I", "I-Vol", "I-CL", "neither", "undefended"];
/** What the arms of an ablation may differ in. */
const switches = ["volumizer", "curriculum", "microBatch"];
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
      notes: [explainStatic],
    };
  },
});
