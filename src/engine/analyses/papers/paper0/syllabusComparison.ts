import { Type } from "@sinclair/typebox";
import { defineAnalysis } from "../../../define/analysis.ts";
import { accuracyCells, accuracyColumns, explainStatic, reportsOf } from "../../columns.ts";
import { needsArms, roleOf, variants } from "./roles.ts";

/** Paper 0, Table 3: the measures as syllabus and slice order, beside the undefended network. */
export const syllabusComparison = defineAnalysis({
  id: "syllabusComparison",
  title: "Measures as syllabus",
  paper: "Ghebrechristos & Alaghband 2024",
  params: Type.Object({}),
  check(_params, { arms }) {
    if (variants(arms, ({ defense }) => defense, ["measure"]).length < 2)
      throw needsArms(
        "syllabusComparison",
        'two arms with volumizedCurriculum that differ in "measure" alone',
        'Add arms to "compare" with another "measure".',
      );
  },
  present(arms) {
    const chosen = variants(arms, ({ report }) => report.defense, ["measure"]);
    const undefended = arms.filter(({ report }) => roleOf(report.defense) === "undefended");
    const shown = reportsOf([...chosen, ...undefended]);
    return {
      title: "Measures as syllabus",
      charts: [],
      tables: [
        {
          title: "Accuracy by measure",
          columns: [{ name: "arm", format: "text" }, { name: "measure", format: "text" }, ...accuracyColumns(shown)],
          rows: shown.map((arm) => [arm.name, String(arm.defense.params["measure"] ?? "none"), ...accuracyCells(arm, shown)]),
        },
      ],
      notes: [explainStatic],
    };
  },
});
