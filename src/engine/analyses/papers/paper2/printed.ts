/** What "Attention, Please! Adversarial Defense via Activation Rectification and Preservation" (Wu et al. 2022) prints. Percent and IoU as there. */

export const rows = ["RAW", "Madry", "Madry+AAD", "ALP", "ALP+AAD"] as const;
export type PaperRow = (typeof rows)[number];
export type PaperData = "MNIST" | "CIFAR10" | "ImageNet";

/** A column of Table 6: no attack, or one of ours with so many iterations; null for an attack of a single step. */
export interface PaperColumn {
  readonly name: string;
  readonly attack: string | null;
  readonly steps: number | null;
}
const iterated = (name: string, attack: string): PaperColumn[] =>
  [10, 20, 40, 100].map((steps) => ({ name: `${name}-${steps}`, attack, steps }));
export const columns: readonly PaperColumn[] = [
  { name: "clean", attack: null, steps: null },
  { name: "FGSM", attack: "fgsm", steps: null },
  ...iterated("PGD", "pgd"),
  ...iterated("CW", "cwPgd"),
];

/** Radius of the ball of Table 6: the settings of Madry et al. */
export const radius: Readonly<Record<PaperData, number>> = { MNIST: 0.3, CIFAR10: 8 / 255, ImageNet: 16 / 255 };

/** Table 6: accuracy in percent, in the order of `columns`. */
export const table6: Readonly<Record<PaperData, Readonly<Record<PaperRow, readonly number[]>>>> = {
  MNIST: {
    RAW: [99.18, 7.72, 0.49, 0.54, 0.64, 0.53, 0, 0, 0, 0],
    Madry: [99.0, 96.92, 95.69, 95.52, 94.14, 92.49, 95.69, 92.69, 87.67, 85.17],
    "Madry+AAD": [99.2, 97.12, 98.02, 96.81, 94.77, 93.02, 97.28, 95.04, 91.31, 89.77],
    ALP: [98.61, 97.59, 98.23, 97.52, 96.04, 94.68, 96.96, 95.48, 93.18, 92.39],
    "ALP+AAD": [98.52, 97.6, 98.24, 97.56, 96.11, 94.82, 97.18, 95.62, 93.54, 92.72],
  },
  CIFAR10: {
    RAW: [90.51, 14.24, 5.93, 5.8, 5.97, 6.04, 0, 0, 0, 0],
    Madry: [83.36, 63.28, 49.29, 45.25, 44.85, 44.72, 37.21, 36.27, 35.92, 35.79],
    "Madry+AAD": [83.62, 64.98, 50.13, 48.99, 48.55, 48.49, 40.83, 39.9, 39.75, 39.64],
    ALP: [82.8, 64.96, 52.79, 49.04, 48.81, 48.6, 41.35, 40.43, 40.11, 40.0],
    "ALP+AAD": [80.5, 65.97, 53.43, 52.34, 52.14, 51.99, 43.32, 42.6, 42.43, 42.34],
  },
  ImageNet: {
    RAW: [75.6, 4.88, 0.5, 0.43, 0.42, 0.33, 3.28, 2.5, 1.93, 1.65],
    Madry: [55.37, 9.49, 2.88, 0.46, 0.05, 0, 7.58, 3.58, 1.38, 0.28],
    "Madry+AAD": [46.48, 11.47, 10.11, 5.29, 2.65, 1.3, 21.22, 19.73, 18.75, 18.05],
    ALP: [50.68, 9.94, 23.67, 19.15, 14.89, 9.94, 26.15, 11.22, 6.3, 3.93],
    "ALP+AAD": [47.06, 14.86, 29.15, 22.45, 17.56, 12.59, 37.4, 34.46, 32.9, 31.37],
  },
};

/** Known of printed figures: a one-step attack that does more than ten steps is a sign of masked gradients or of another loss. */
export const remarks: Readonly<Partial<Record<`${PaperData} ${PaperRow} ${string}`, string>>> = {
  "ImageNet ALP FGSM": "Lower than its PGD-10, and the same number as its PGD-100.",
  "ImageNet ALP+AAD FGSM": "Lower than its PGD-10.",
};

/** What the paper says in words: each row is at least as accurate under attack as the one before it. */
export const orders: readonly (readonly [weaker: PaperRow, sign: "<" | "≤", stronger: PaperRow])[] = [
  ["RAW", "<", "Madry"],
  ["Madry", "≤", "Madry+AAD"],
  ["ALP", "≤", "ALP+AAD"],
];

/** A figure of images on which the attack succeeded, and of those on which it failed. */
export interface Printed {
  readonly succeeded: number;
  readonly failed: number;
}
/** Table 1: share in percent of 38,245 images of ImageNet that Inception v3 classifies correctly, and IoU of attention and object, StepLL. */
export const table1 = { share: { succeeded: 74.1, failed: 25.9 }, overlap: { succeeded: 0.647, failed: 0.701 } } as const;
/** Table 2: of 5,857 of them whose IoU is below ½, share and mean confidence in percent. */
export const table2 = { share: { succeeded: 82.8, failed: 17.2 }, confidence: { succeeded: 89.44, failed: 79.41 } } as const;
/** Table 3: IoU of the attention before and after, by cells of 64. */
export const table3: Readonly<Record<number, Printed>> = {
  5: { succeeded: 0.393, failed: 0.574 },
  10: { succeeded: 0.49, failed: 0.677 },
  20: { succeeded: 0.609, failed: 0.766 },
  30: { succeeded: 0.676, failed: 0.807 },
};
/** Table 4: IoU of LIME's features and the object, by their number; Table 5: of those before and after. */
export const table4: Readonly<Record<number, Printed>> = {
  8: { succeeded: 0.413, failed: 0.442 },
  10: { succeeded: 0.484, failed: 0.516 },
};
export const table5: Readonly<Record<number, Printed>> = {
  8: { succeeded: 0.138, failed: 0.212 },
  10: { succeeded: 0.159, failed: 0.241 },
};

/** Table 7: accuracy in percent on images that are right without attack, of an attack alone and with attention augmented; ε 4/255, 3 iterations. */
export const table7: readonly { readonly name: string; readonly attack: string; readonly alone: number; readonly augmented: number }[] = [
  { name: "Iter-StepLL", attack: "iterStepLL", alone: 3.8, augmented: 3.3 },
  { name: "PGD", attack: "pgd", alone: 13.6, augmented: 10.8 },
];
