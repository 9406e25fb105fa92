import { Type } from "@sinclair/typebox";
import type { Choice, Column } from "../../../../shared/results.ts";
import { defineAnalysis } from "../../../define/analysis.ts";
import { accuracyCells, accuracyColumns, explainStatic, hasStatic, reportsOf } from "../../columns.ts";
import { needsArms } from "../paper0/roles.ts";
import { table13 } from "./printed.ts";

/** Layers of an arm that are compact, by name; "scores" for that of l2Softmax, "all" for every layer; null for other defences. */
function compactLayers(defenses: readonly Choice[]): readonly string[] | null {
  const others = defenses.filter(({ id }) => id !== "standard");
  if (others.length === 0) return [];
  const [only] = others;
  if (others.length > 1 || !only) return null;
  if (only.id === "l2Softmax") return ["scores"];
  if (only.id !== "compactConvolution") return null;
  const names = String(only.params["layers"] ?? "")
    .split(",")
    .flatMap((name) => name.trim() || []);
  return names.length > 0 ? names : ["all"];
}

/** The paper's name of the layers: the layer of the scores is its fc3. */
const rowOf = (layers: readonly string[]): string => {
  if (layers.length === 0) return "none";
  return layers.length === 1 && ["scores", "logits", "fc3"].includes(layers[0] ?? "") ? "fc3" : layers.join(", ");
};

/** Paper 4, Table 13: what a single compact layer contributes, beside none and all of them. */
export const layerAblation = defineAnalysis({
  id: "layerAblation",
  title: "Ablation by layer",
  paper: "Ranjan et al. 2017",
  params: Type.Object({}),
  check(_params, { arms }) {
    const single = arms.filter(({ defenses }) => compactLayers(defenses)?.filter((name) => name !== "all").length === 1);
    if (single.length === 0)
      throw needsArms(
        "layerAblation",
        "arms with one compact layer",
        'Add arms to "compare" such as {"defense": {"kind": "compactConvolution", "layers": "conv1"}}.',
      );
  },
  present(arms, _params, { dataset }) {
    const chosen = arms.flatMap(({ report }) => {
      const layers = compactLayers(report.defenses ?? [report.defense]);
      return layers === null ? [] : [{ report, layers }];
    });
    const reports = reportsOf(arms).filter((report) => chosen.some((one) => one.report === report));
    const isPapers = dataset === "mnist" && reports.every(({ model }) => model.id === "papernot");
    const printed: Column[] = isPapers
      ? [
          { name: "paper, clean", format: "percent" },
          { name: "paper, FGSM 0.3", format: "percent" },
        ]
      : [];
    return {
      title: "Ablation by layer",
      charts: [],
      tables: [
        {
          title: "Accuracy by compact layers",
          columns: [{ name: "arm", format: "text" }, { name: "compact", format: "text" }, ...accuracyColumns(reports), ...printed],
          rows: chosen.map(({ report, layers }) => {
            const row = rowOf(layers);
            const found = table13[row];
            const cells = isPapers ? [0, 1].map((at) => (found ? (found[at] ?? 0) / 100 : null)) : [];
            return [report.name, row, ...accuracyCells(report, reports), ...cells];
          }),
        },
      ],
      notes: reports.some((report) => report.attacks.some(({ key, attack }) => hasStatic([report], key ?? attack.id)))
        ? [explainStatic]
        : [],
    };
  },
});
