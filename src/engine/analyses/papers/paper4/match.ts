import type { ArmReport, AttackSummary, Choice } from "../../../../shared/results.ts";
import { type PaperData, type PaperModel, radii } from "./printed.ts";

/** The block of the tables that is nearest to a data set, and whether it is that data set. */
export function dataOf(dataset: string): { readonly data: PaperData; readonly isSame: boolean } {
  if (dataset === "mnist" || dataset === "fashionMnist") return { data: "MNIST", isSame: dataset === "mnist" };
  return { data: "CIFAR", isSame: dataset === "cifar10" };
}

const modelOf: Readonly<Record<string, PaperModel>> = {
  "": "SM",
  labelSmoothing: "LS",
  boundedRelu: "BReLU",
  l2Softmax: "L2SM",
  compactConvolution: "CCN",
  "compactConvolution+labelSmoothing": "CCN+LS",
  batchNormalization: "BN",
  localResponseNormalization: "LRN",
};

/** The paper's model that an arm is, and whether it was trained on adversarial images too; null for an arm that is none of them. */
export function paperModel(
  arm: Pick<ArmReport, "defense" | "defenses">,
): { readonly model: PaperModel; readonly isAdversarial: boolean } | null {
  const defenses = arm.defenses ?? [arm.defense];
  if (defenses.some(({ id, params }) => id === "compactConvolution" && (params["layers"] ?? "") !== "")) return null; // single layers: Table 13
  const ids = defenses.map(({ id }) => id).filter((id) => id !== "standard");
  const isAdversarial = ids.includes("adversarialTraining");
  const rest = ids.filter((id) => id !== "adversarialTraining").sort();
  const model = modelOf[rest.join("+")];
  return model ? { model, isAdversarial } : null;
}

/** Place among the paper's radii, of an untargeted FGSM on the cross-entropy; −1 for another attack. */
export function radiusPlace({ id, params }: Choice, data: PaperData): number {
  const { eps, norm = "linf", target = -1, loss = "crossEntropy" } = params;
  if (id !== "fgsm" || norm !== "linf" || target !== -1 || loss !== "crossEntropy") return -1;
  return radii[data].findIndex((radius) => Math.abs(radius - Number(eps)) < 1e-4);
}

/** Attacks on an arm that know it. */
export const adaptiveOf = ({ attacks }: Pick<ArmReport, "attacks">): AttackSummary[] => attacks.filter(({ mode }) => mode !== "static");
