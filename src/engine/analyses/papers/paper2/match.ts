import type { Choice } from "../../../../shared/results.ts";
import type { AnalysedArm, AnalysedAttack } from "../../../define/analysis.ts";
import { isFooledWithin } from "../../../metrics/iterations.ts";
import { isCleanCorrect, isCorrect } from "../../../metrics/robustness.ts";
import { type PaperColumn, type PaperData, type PaperRow, radius } from "./printed.ts";

/** Of a choice inside parameters, as documents hold it. */
const idOf = (choice: unknown): unknown => (typeof choice === "object" && choice !== null && "kind" in choice ? choice.kind : choice);

/** What a row of Table 6 is trained with; null for a defence that the paper does not have. */
export function rowOf({ id, params }: Choice): PaperRow | null {
  if (id === "standard") return "RAW";
  const row = id === "attentionRectification" ? baseOf(idOf(params["base"])) : baseOf(id);
  if (row === null || id !== "attentionRectification") return row;
  const isBase = params["alpha"] === 0 && params["beta"] === 0;
  return isBase ? row : `${row}+AAD`;
}
const baseOf = (id: unknown): "Madry" | "ALP" | null =>
  id === "adversarialTraining" ? "Madry" : id === "adversarialLogitPairing" ? "ALP" : null;

/** The first arm that is trained as the row says, with nothing in front. */
export const armOf = (row: PaperRow, arms: readonly AnalysedArm[]): AnalysedArm | null =>
  arms.find(({ report }) => rowOf(report.defense) === row) ?? null;

/** The block of Table 6 that is nearest to a data set, and whether it is that data set. */
export function dataOf(dataset: string): { readonly data: PaperData; readonly isSame: boolean } {
  if (dataset === "mnist") return { data: "MNIST", isSame: true };
  if (dataset === "cifar10") return { data: "CIFAR10", isSame: true };
  if (dataset === "fashionMnist") return { data: "MNIST", isSame: false };
  return { data: dataset === "imageFolder" ? "ImageNet" : "CIFAR10", isSame: false };
}

/** By its index, whether each image is right in a column of Table 6; null where the experiment does not say. */
export function rightIn(column: PaperColumn, { attacks }: AnalysedArm, data: PaperData): ReadonlyMap<number, boolean> | null {
  const own = attacks.filter(({ summary }) => summary.mode !== "static");
  if (column.attack === null) {
    const [first] = attacks;
    return first ? new Map(first.records.map((record) => [record.index, isCleanCorrect(record)])) : null;
  }
  const meant = own.filter(
    ({ summary: { attack } }) => attack.id === column.attack && isOfRadius(attack, radius[data]) && isUntargeted(attack) && isPlain(attack),
  );
  const { steps } = column;
  if (steps === null) return meant[0] ? new Map(meant[0].records.map((record) => [record.index, isCorrect(record)])) : null;
  const same = meant.find(({ summary }) => summary.attack.params["steps"] === steps);
  const longer = meant.find((attack) => isReadAt(attack, steps));
  if (same) return new Map(same.records.map((record) => [record.index, isCorrect(record)]));
  return longer ? new Map(longer.records.map((record) => [record.index, isCleanCorrect(record) && !isFooledWithin(record, steps)])) : null;
}

const isOfRadius = ({ params }: Choice, eps: number): boolean => params["norm"] !== "l2" && Math.abs(Number(params["eps"]) - eps) < 1e-4;
const isUntargeted = ({ params }: Choice): boolean => params["target"] === undefined || params["target"] === -1;
/** Without what makes it stronger than the paper's: the margin in place of the cross-entropy, several starts, momentum. */
const isPlain = ({ params: { loss = "crossEntropy", restarts = 1, momentum = 0 } }: Choice): boolean =>
  loss === "crossEntropy" && restarts === 1 && momentum === 0;

/** A longer run whose step does not depend on its length says what a run of `steps` would. */
const isReadAt = ({ summary: { attack } }: AnalysedAttack, steps: number): boolean => {
  const { params } = attack;
  return Number(params["steps"]) > steps && Number(params["stepSize"]) > 0;
};
