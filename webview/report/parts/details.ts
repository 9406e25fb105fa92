import { count, duration, number, percent, points } from "../../../src/shared/format.ts";
import { normsNote } from "../../../src/shared/labels.ts";
import type { AttackSummary } from "../../../src/shared/results.ts";
import { fill, h, onChange, type Part } from "../../lib/dom.ts";
import { section } from "../../lib/ui.ts";
import type { ReportContext } from "../context.ts";

interface Column {
  readonly head: string;
  readonly meaning?: string;
  cell(summary: AttackSummary): string;
}
const columns: readonly Column[] = [
  { head: "Images", cell: ({ n }) => count(n) },
  { head: "Accuracy under attack", cell: ({ attacked }) => percent(attacked.accuracy) },
  {
    head: "Attack success rate",
    meaning: "Of the images that were classified correctly before the attack, the share on which it succeeded",
    cell: ({ successRate }) => percent(successRate),
  },
  { head: "δ", meaning: "Clean accuracy minus accuracy under attack, in percentage points", cell: ({ robustness }) => points(robustness) },
  {
    head: "β",
    meaning: "Share of correctly classified images that stay correct, without those of the target class",
    cell: ({ defenseSuccess }) => percent(defenseSuccess),
  },
  {
    head: "β of fooled",
    meaning: "Of the images on which the attack fooled the undefended arm, the share that this arm classifies correctly under attack",
    cell: ({ defenseSuccessOfFooled }) => percent(defenseSuccessOfFooled),
  },
  {
    head: "β of fooled, static",
    meaning: "The same where the undefended arm's adversarial images are only shown to this arm",
    cell: (summary) => percent(summary.static?.defenseSuccessOfFooled),
  },
  {
    head: "Second undefended network",
    meaning:
      "Accuracy of an undefended network of another seed on the same static images: a defended arm that scores no higher owes its static figure to the change of network alone",
    cell: (summary) => percent(summary.static?.control?.attacked.accuracy),
  },
  {
    head: "Grey patch",
    meaning: "Accuracy when a plain grey patch is pasted in the same places: what covering alone does",
    cell: ({ covering }) => percent(covering?.attacked.accuracy),
  },
  {
    head: "Wrong before attack",
    meaning: "Images that were misclassified without an attack: they count against accuracy, not towards the success rate",
    cell: ({ n, clean }) => count(n - clean.correct),
  },
  {
    head: "Mean L∞",
    meaning: `Largest change of a pixel, in units of images in 0…1, ${normsNote}`,
    cell: ({ norms }) => number(norms.linf.mean),
  },
  { head: "Mean L2", meaning: `Length of the change, in units of images in 0…1, ${normsNote}`, cell: ({ norms }) => number(norms.l2.mean) },
  {
    head: "Median distance",
    meaning: "Of an attack that looks for the smallest change: half of the images that it fooled changed by no more, in its norm",
    cell: ({ distances }) => number(distances?.median),
  },
  { head: "Mean pixels", meaning: `Pixels that changed, ${normsNote}`, cell: ({ norms }) => number(norms.l0.mean) },
  { head: "Time", cell: ({ seconds }) => duration(seconds) },
  { head: "Images/s", cell: ({ imagesPerSecond }) => number(imagesPerSecond) },
  { head: "Queries", meaning: "Forward evaluations of the model, one for every image each time", cell: (s) => count(s.forwardEvaluations) },
  { head: "Gradients", meaning: "Gradient evaluations of the model", cell: (s) => count(s.gradientEvaluations) },
];

/** Every attack in figures. */
export function details(): Part<ReportContext> {
  const table = h("div", { class: "table-scroll", attributes: { tabindex: 0, role: "group", "aria-label": "Every attack in figures" } });
  const draw = onChange(({ overview: { rows, columns: attacks } }: ReportContext) => {
    const lines = rows.flatMap((row) =>
      attacks.flatMap(({ key, text }) => {
        const summary = row.attacks[key]?.summary;
        if (!summary) return [];
        const cells = [text, ...columns.map(({ cell }) => cell(summary))];
        return [h("tr", {}, h("th", { attributes: { scope: "row" } }, row.label), ...cells.map((text) => h("td", {}, text)))];
      }),
    );
    const head = [{ head: "Arm" }, { head: "Attack" }, ...columns].map(({ head: text, ...column }) =>
      h("th", { ...("meaning" in column && column.meaning ? { title: column.meaning } : {}), attributes: { scope: "col" } }, text),
    );
    fill(table, h("table", { class: "details" }, h("thead", {}, h("tr", {}, ...head)), h("tbody", {}, ...lines)));
  });
  const meanings = columns.flatMap(({ head, meaning }) => (meaning ? [h("dt", {}, head), h("dd", {}, meaning)] : []));
  const legend = h("dl", { class: "meanings muted small" }, ...meanings);
  return { element: section("Every attack in figures", false, table, legend), update: draw };
}
