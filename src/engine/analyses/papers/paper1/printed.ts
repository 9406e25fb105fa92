import type { Choice } from "../../../../shared/results.ts";

/** A defence as a row of the paper's tables: its name there, its id and the parameters that tell it from its neighbours. */
export interface PaperRow {
  readonly name: string;
  /** Null for no defence. */
  readonly defense: Choice | null;
}
const row = (name: string, id: string, params: Choice["params"] = {}): PaperRow => ({ name, defense: { id, params } });
const none: PaperRow = { name: "none", defense: null };
const lgs = (lambda: number) => row(`LGS, λ ${lambda}`, "localGradientSmoothing", { lambda });
const dw = row("DW", "digitalWatermark", { mode: "blind" });
const mf = row("MF, window 3", "medianFilter", { window: 3 });
const jpeg = (quality: number) => row(`JPEG, quality ${quality}`, "jpeg", { quality });
const tvm = (weight: number) => row(`TVM, weight ${weight}`, "totalVariation", { weight });
const br = (depth: number) => row(`BR, depth ${depth}`, "bitDepth", { depth });

/** Side of the noise as a share of the image, 299 pixels in the paper. */
export const sides = [42, 52, 60] as const;

/** Table 1: percent of the ImageNet validation images that Inception v3 classifies correctly, without attack and under LaVAN of three sizes. */
export const table1: readonly (readonly [PaperRow, clean: number, ...bySide: [number, number, number]])[] = [
  [none, 75.61, 11.0, 2.79, 0.78],
  [lgs(2.3), 71.05, 70.9, 69.84, 69.37],
  [lgs(2.1), 71.5, 70.8, 69.54, 68.56],
  [lgs(1.9), 71.84, 70.4, 68.84, 66.98],
  [lgs(1.7), 72.3, 69.55, 67.32, 63.38],
  [lgs(1.5), 72.72, 67.68, 64.13, 55.67],
  [dw, 52.77, 67.7, 66.19, 64.57],
  [mf, 70.59, 63.9, 62.15, 59.81],
  [row("GF, window 5", "gaussianFilter", { window: 5 }), 61.75, 59.52, 57.68, 55.29],
  [row("BF, window 5", "bilateralFilter", { window: 5 }), 65.7, 61.53, 58.7, 55.59],
  [jpeg(80), 74.35, 18.14, 6.23, 2.06],
  [jpeg(60), 72.71, 25.69, 11.86, 4.85],
  [jpeg(40), 71.2, 37.1, 23.26, 12.73],
  [jpeg(30), 70.04, 45.0, 33.72, 22.04],
  [jpeg(20), 67.51, 52.84, 46.25, 37.19],
  [jpeg(10), 60.25, 53.1, 48.73, 43.59],
  [tvm(10), 70.21, 14.48, 4.64, 1.73],
  [tvm(20), 72.85, 13.24, 3.78, 1.17],
  [tvm(30), 73.85, 12.79, 3.53, 1.04],
  [br(1), 39.85, 25.93, 15.14, 9.73],
  [br(2), 64.61, 16.32, 6.15, 2.68],
  [br(3), 72.83, 13.4, 3.89, 1.25],
];

/** Table 2: percent of 1000 images with a universal patch of 95×95 pixels, all of which fool the bare network, that are classified correctly. */
export const table2: readonly (readonly [PaperRow, number])[] = [
  [none, 0],
  [lgs(2.3), 90.5],
  [dw, 80],
  [mf, 49.1],
  [jpeg(30), 45],
  [tvm(10), 1],
  [br(3), 0],
];

/** Table 3: percent of 1000 images on which LaVAN of 42×42 pixels that knows the defence (BPDA) succeeds. */
export const table3: readonly (readonly [PaperRow, number])[] = [
  [none, 88],
  [lgs(2.3), 18],
  [dw, 25.6],
  [mf, 75],
  [jpeg(30), 73.3],
  [tvm(10), 78.1],
  [br(3), 83],
];

export const remarks: Readonly<Record<string, string>> = {
  DW: "More accurate under attack than without one: on clean images the defence removes the object.",
  "BF, window 5": "The paper probably used a version of scikit-image whose spatial weights are scrambled at this window.",
};
