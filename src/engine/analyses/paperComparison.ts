import { Type } from "@sinclair/typebox";
import type { AnalysisTable, Column, Format, TableCell } from "../../shared/results.ts";
import { type AnalysedArm, defineAnalysis } from "../define/analysis.ts";
import { choice, int } from "../define/index.ts";
import { groupBy } from "./groupBy.ts";
import { figure5, figuresTable } from "./papers/paper0/figures.ts";
import { armOf, columnOf, isOwnRow, measuredOf, nearestData, nearestModel } from "./papers/paper0/match.ts";
import { type PaperData, type PaperModel, type Printed, printed, type Quantity } from "./papers/paper0/printed.ts";
import { comparison as localGradientsSmoothing } from "./papers/paper1/comparison.ts";
import { comparison as attention } from "./papers/paper2/comparison.ts";
import { comparison as randomizedDefense } from "./papers/paper3/comparison.ts";
import { comparison as compactConvolution } from "./papers/paper4/comparison.ts";

const params = Type.Object({
  paper: int(
    0,
    "0: 3D convolution for proactive defense against localized adversary attacks; 1: Local Gradients Smoothing; 2: Attention, Please! Adversarial Defense via Activation Rectification and Preservation; 3: Efficient Randomized Defense against Adversarial Attacks; 4: Improving Network Robustness against Adversarial Attacks with Compact Convolution.",
    { min: 0, max: 4 },
  ),
  model: choice(
    ["auto", "EfficientNet", "VGG", "Inception", "ResNet"],
    "auto",
    "Column of the tables of paper 0; auto takes the nearest network.",
  ),
  dataset: choice(["auto", "CIFAR10", "CIFAR100", "ILSVRC12"], "auto", "Column of the tables of paper 0; auto takes the nearest data."),
});

const words: Readonly<Record<Quantity, string>> = {
  clean: "clean accuracy",
  onePixel: "accuracy, 1 pixel",
  patch: "accuracy, patch",
  betaPatch: "β, patch",
  aucOnePixel: "AUC, 1 pixel",
  aucPatch: "AUC, patch",
  milliseconds: "inference, one image",
};
const groups: readonly {
  readonly title: string;
  readonly quantities: readonly Quantity[];
  readonly format: Format;
  readonly scale: number;
}[] = [
  { title: "Accuracy and defence success", quantities: ["clean", "onePixel", "patch", "betaPatch"], format: "percent", scale: 100 },
  { title: "Area under the micro-average ROC", quantities: ["aucOnePixel", "aucPatch"], format: "number", scale: 1 },
  { title: "Inference time", quantities: ["milliseconds"], format: "milliseconds", scale: 1 },
];

/** Our figures beside those that the paper prints, with the difference and what is known about the printed one. */
export const paperComparison = defineAnalysis({
  id: "paperComparison",
  title: "Comparison with the paper",
  paper: "Ghebrechristos & Alaghband 2024",
  params,
  present(arms, p, facts) {
    if (p.paper === 1) return localGradientsSmoothing(arms, facts.dataset);
    if (p.paper === 2) return attention(arms, facts.dataset);
    if (p.paper === 3) return randomizedDefense(arms, facts.dataset);
    if (p.paper === 4) return compactConvolution(arms, facts.dataset);
    const models = [...new Set(arms.map(({ report }) => report.model.id))];
    const model = p.model === "auto" ? nearestModel(models[0] ?? "") : p.model;
    const data = p.dataset === "auto" ? nearestData(facts.dataset) : p.dataset;
    const chosen = columns(model, data);
    const tables = groups.map((group) => tableOf(group, chosen, arms)).filter(({ rows }) => rows.length > 0);
    const described = figuresTable(arms, facts.inputShape);
    return {
      title: "Beside the paper's figures",
      charts: figure5(arms),
      tables: [...tables, ...(described.rows.length > 0 ? [described] : [])],
      notes: [...originNotes(models, facts.dataset, model, data), ...missing(chosen, arms)],
    };
  },
});

/** One printed figure for each place, quantity and row: that of the nearest column. */
function columns(model: PaperModel | null, data: PaperData | null): Printed[] {
  const places = groupBy(printed, ({ source, quantity, row }) => JSON.stringify([source, quantity, row]));
  return [...places.values()].flatMap((entries) => columnOf(entries, model, data) ?? []);
}

function tableOf(group: (typeof groups)[number], chosen: readonly Printed[], arms: readonly AnalysedArm[]): AnalysisTable {
  const own = chosen.filter(({ quantity }) => group.quantities.includes(quantity));
  const isMeasured = (entry: Printed): boolean => {
    const arm = isOwnRow(entry) ? armOf(entry.row, arms) : null;
    return arm !== null && measuredOf(entry.quantity, arm) !== null;
  };
  // Other people's defences are shown beside ours, not alone.
  const shown = own.filter((entry) =>
    isOwnRow(entry)
      ? isMeasured(entry)
      : own.some(
          ({ source, quantity, ...rest }) =>
            source === entry.source && quantity === entry.quantity && isMeasured({ source, quantity, ...rest }),
        ),
  );
  const text = (name: string): Column => ({ name, format: "text" });
  const number = (name: string): Column => ({ name, format: group.format });
  return {
    title: group.title,
    columns: [
      ...["place", "figure", "the paper's row"].map(text),
      ...["ours", "ours, static", "the paper's"].map(number),
      { name: "difference", format: group.format === "percent" ? "difference" : group.format },
      ...["the paper's column", "our arm", "remark"].map(text),
    ],
    rows: shown.map((entry) => rowOf(entry, arms, group.scale)),
  };
}

function rowOf(entry: Printed, arms: readonly AnalysedArm[], scale: number): TableCell[] {
  const arm = isOwnRow(entry) ? armOf(entry.row, arms) : null;
  const ours = arm ? measuredOf(entry.quantity, arm) : null;
  const theirs = entry.value / scale;
  // The paper pastes stickers that were made for the undefended network: the static attack is its counterpart.
  const isPasted = (entry.quantity === "patch" || entry.quantity === "betaPatch") && ours !== null && ours.static !== null;
  const compared = isPasted ? ours.static : (ours?.adaptive ?? null);
  const remarks = [entry.remark, isPasted ? "The difference is to the static attack, which is what the paper made." : ""];
  return [
    entry.source,
    words[entry.quantity],
    entry.row,
    ours?.adaptive ?? null,
    ours?.static ?? null,
    theirs,
    compared === null ? null : compared - theirs,
    `${entry.model}, ${entry.dataset}`,
    arm?.report.name ?? null,
    remarks.filter(Boolean).join(" "),
  ];
}

function originNotes(models: readonly string[], dataset: string, model: PaperModel | null, data: PaperData | null): string[] {
  const notes = [`Ours: ${models.join(", ")} on ${dataset}.`];
  if (model === null || data === null)
    notes.push("The paper has no such network or data set: its nearest column shows a direction, not a value to be met.");
  return notes;
}

function missing(chosen: readonly Printed[], arms: readonly AnalysedArm[]): string[] {
  const lacking = chosen.filter(isOwnRow).filter((entry) => {
    const arm = armOf(entry.row, arms);
    return arm === null || measuredOf(entry.quantity, arm) === null;
  });
  if (lacking.length === 0) return [];
  const places = groupBy(lacking, ({ source }) => source);
  const parts = [...places].map(
    ([source, entries]) => `${source} (${[...new Set(entries.map(({ row, quantity }) => `${row}: ${words[quantity]}`))].join("; ")})`,
  );
  return [`Not measured by this experiment: ${parts.join(", ")}.`];
}
