import { count, duration, number, percent } from "../../../src/shared/format.ts";
import { fill, h, onChange, type Part } from "../../lib/dom.ts";
import { section } from "../../lib/ui.ts";
import type { Overview } from "../tables.ts";

const columns = [
  "arm",
  "attack",
  "images",
  "success rate",
  "δ",
  "β",
  "β of fooled",
  "β of fooled, static",
  "grey patch",
  "mean L∞",
  "mean L2",
  "mean pixels",
  "time",
  "images/s",
  "queries",
  "gradients",
] as const;
const meaning: Readonly<Partial<Record<(typeof columns)[number], string>>> = {
  "success rate": "Share of the images that were right before and are wrong after the attack",
  δ: "Accuracy lost: clean minus attacked",
  β: "Defence success: share of the right images that stay right, without those of the class aimed at",
  "β of fooled": "Of the images on which the attack fooled the undefended arm: share that this arm has right under attack",
  "β of fooled, static": "The same where the undefended arm's adversarial images are only shown to this arm",
  "grey patch": "Share of all images that a grey patch at the same places leaves right: what covering alone does",
  queries: "Forward evaluations of the model, one for every image each time",
  gradients: "Gradient evaluations of the model",
};

/** Every attack in figures. */
export function details(): Part<Overview> {
  const table = h("div", { class: "table-scroll", attributes: { tabindex: 0 } });
  const draw = onChange((shown: Overview) => {
    const rows = shown.rows.flatMap((row) =>
      shown.columns.flatMap(({ key, text }) => {
        const summary = row.attacks[key]?.summary;
        if (!summary) return [];
        const cells = [
          text,
          count(summary.n),
          percent(summary.successRate),
          percent(summary.robustness),
          percent(summary.defenseSuccess),
          percent(summary.defenseSuccessOfFooled),
          percent(summary.static?.defenseSuccessOfFooled),
          percent(summary.covering?.attacked.accuracy),
          number(summary.norms.linf.mean),
          number(summary.norms.l2.mean),
          number(summary.norms.l0.mean),
          duration(summary.seconds),
          number(summary.imagesPerSecond),
          count(summary.forwardEvaluations),
          count(summary.gradientEvaluations),
        ];
        return [h("tr", {}, h("th", { attributes: { scope: "row" } }, row.arm), ...cells.map((c) => h("td", {}, c)))];
      }),
    );
    const head = columns.map((c) => h("th", { ...(meaning[c] ? { title: meaning[c] } : {}), attributes: { scope: "col" } }, c));
    fill(table, h("table", { class: "details" }, h("thead", {}, h("tr", {}, ...head)), h("tbody", {}, ...rows)));
  });
  const legend = h(
    "p",
    { class: "muted small" },
    "δ: accuracy lost to the attack. β: share of the images answered rightly that stay right. β of fooled: the same share of the images on which the attack fooled the undefended arm. Queries: forward evaluations of the model. Grey patch: share of all images that one at the same places leaves right. Norms are in units of images in 0…1.",
  );
  return { element: section("Every attack in figures", false, table, legend), update: draw };
}
