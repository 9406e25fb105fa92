import { Type } from "@sinclair/typebox";
import type { Column, TableCell } from "../../shared/results.ts";
import { type AnalysedArm, defineAnalysis } from "../define/analysis.ts";
import { text } from "../define/index.ts";
import { isCorrect, type Outcome } from "../metrics/robustness.ts";
import { binomialTail } from "../metrics/statistics.ts";
import { attackNames, labelOf, reportsOf } from "./columns.ts";
import { needsArms, roleOf } from "./papers/paper0/roles.ts";

/** Paper 0, Tables 4 and 5: every arm beside one of them, on the same images, and whether the difference could be chance. */
export const baselineComparison = defineAnalysis({
  id: "baselineComparison",
  title: "Comparison with a baseline",
  paper: "Ghebrechristos & Alaghband 2024",
  params: Type.Object({ arm: text("", "Arm that the others are compared with; the undefended one when left empty.") }),
  check({ arm }, { arms }) {
    const found = arms.some(({ name, defense }) => (arm === "" ? roleOf(defense) === "undefended" : name === arm));
    if (!found || arms.length < 2)
      throw needsArms(
        "baselineComparison",
        arm === "" ? "an undefended arm and another one" : `an arm called "${arm}" and another one`,
        `Arms: ${arms.map(({ name }) => name).join(", ")}. Add one to "compare".`,
      );
  },
  present(arms, { arm }) {
    const baseline = arms.find(({ report }) => (arm === "" ? roleOf(report.defense) === "undefended" : report.name === arm)) ?? null;
    const keys = attackNames(reportsOf(arms));
    const columns: Column[] = [
      { name: "arm", format: "text" },
      { name: "attack", format: "text" },
      { name: "accuracy", format: "percent" },
      { name: "difference", format: "difference" },
      { name: "right here alone", format: "count" },
      { name: "right in the baseline alone", format: "count" },
      { name: "p", format: "number" },
    ];
    const rows = baseline
      ? arms.filter((one) => one !== baseline).flatMap((one) => [null, ...keys].map((key) => rowOf(one, baseline, key)))
      : [];
    return {
      title: `Every arm beside ${baseline?.report.name ?? "the baseline"}`,
      charts: [],
      tables: [{ title: "Paired on the same images", columns, rows }],
      notes: [
        "p: how often chance alone gives a difference this large, exact and two-sided (McNemar). Every model meets attacks made against itself.",
      ],
    };
  },
});

function rowOf(arm: AnalysedArm, baseline: AnalysedArm, key: string | null): TableCell[] {
  const [own, other] = [correctBy(arm, key), correctBy(baseline, key)];
  const common = [...own].filter(([index]) => other.has(index));
  const onlyOwn = common.filter(([index, right]) => right && !other.get(index)).length;
  const onlyOther = common.filter(([index, right]) => !right && other.get(index)).length;
  const accuracy = common.length === 0 ? null : common.filter(([, right]) => right).length / common.length;
  const p = Math.min(1, 2 * binomialTail(Math.max(onlyOwn, onlyOther), onlyOwn + onlyOther));
  const difference = common.length === 0 ? null : (onlyOwn - onlyOther) / common.length;
  const known = common.length > 0;
  const label = key === null ? "clean" : labelOf([arm.report], key);
  return [arm.report.name, label, accuracy, difference, known ? onlyOwn : null, known ? onlyOther : null, known ? p : null];
}

/** Whether each image is right, by its index; clean ones for `null`. */
function correctBy(arm: AnalysedArm, key: string | null): ReadonlyMap<number, boolean> {
  const attack = key === null ? arm.attacks[0] : arm.attacks.find((one) => one.key === key);
  const right = (o: Outcome): boolean => (key === null ? o.cleanPrediction === o.label : isCorrect(o));
  return new Map((attack?.records ?? []).map((o) => [o.index, right(o)]));
}
