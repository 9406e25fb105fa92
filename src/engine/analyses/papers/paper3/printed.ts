import type { Choice } from "../../../../shared/results.ts";

/** What "Efficient Randomized Defense against Adversarial Attacks in Deep Convolutional Neural Networks" (Sheikholeslami et al. 2019) prints. */

export type PaperData = "MNIST" | "SVHN" | "CIFAR";
export const attacks = ["FGSM", "BIM-A", "JSMA"] as const;
export type PaperAttack = (typeof attacks)[number];

/** The attacks' settings by data set, those of Feinman et al. 2017: radius of the ball, and step of BIM-A, which takes 50 of them. */
export const settings: Readonly<Record<PaperData, { readonly eps: number; readonly stepSize: number }>> = {
  MNIST: { eps: 0.3, stepSize: 0.01 },
  SVHN: { eps: 0.13, stepSize: 0.01 },
  CIFAR: { eps: 0.05, stepSize: 0.005 },
};
export const bimSteps = 50;

/** Table 2: accuracy in percent. */
export const table2: Readonly<Record<PaperData, Readonly<Record<PaperAttack | "clean", number>>>> = {
  MNIST: { clean: 98.7, JSMA: 2.7, FGSM: 5.87, "BIM-A": 0 },
  SVHN: { clean: 92.2, JSMA: 0.32, FGSM: 3.29, "BIM-A": 0 },
  CIFAR: { clean: 82.6, JSMA: 0.2, FGSM: 7.03, "BIM-A": 0.57 },
};

/** A detector as a row of Table 3: its id, and the parameters that tell it from its neighbours. */
export interface PaperRow {
  readonly name: string;
  readonly detector: Choice;
}
const mvm = (name: string, ratio: number): PaperRow => ({
  name,
  detector: { id: "varianceMinimization", params: { ratio, cMode: "input" } },
});
const sap = (name: string, ratio: number): PaperRow => ({ name, detector: { id: "stochasticActivationPruning", params: { ratio } } });

type Areas = readonly [fgsm: number, bim: number, jsma: number];
/** Table 3: area under the ROC curve, in the order of `attacks`. */
export const table3: readonly (readonly [PaperRow, Readonly<Record<PaperData, Areas>>])[] = [
  [mvm("MVM, c = 0.5 N", 0.5), { MNIST: [0.947, 0.982, 0.983], SVHN: [0.901, 0.741, 0.794], CIFAR: [0.63, 0.578, 0.643] }],
  [mvm("MVM, c = N", 1), { MNIST: [0.848, 0.987, 0.982], SVHN: [0.933, 0.834, 0.885], CIFAR: [0.756, 0.718, 0.804] }],
  [mvm("MVM, c = 2 N", 2), { MNIST: [0.699, 0.972, 0.936], SVHN: [0.906, 0.766, 0.934], CIFAR: [0.787, 0.858, 0.899] }],
  [sap("SAP, 50 %", 0.5), { MNIST: [0.613, 0.749, 0.746], SVHN: [0.752, 0.601, 0.804], CIFAR: [0.757, 0.785, 0.85] }],
  [sap("SAP, 80 %", 0.8), { MNIST: [0.618, 0.713, 0.667], SVHN: [0.667, 0.568, 0.729], CIFAR: [0.718, 0.736, 0.871] }],
  [sap("SAP, 100 %", 1), { MNIST: [0.631, 0.715, 0.628], SVHN: [0.635, 0.55, 0.692], CIFAR: [0.688, 0.694, 0.878] }],
  [
    { name: "dropout, 0.5", detector: { id: "dropoutUncertainty", params: { rate: 0.5 } } },
    { MNIST: [0.845, 0.991, 0.984], SVHN: [0.951, 0.853, 0.904], CIFAR: [0.701, 0.606, 0.71] },
  ],
];
