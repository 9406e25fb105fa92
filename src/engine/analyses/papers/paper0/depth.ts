import type { Choice } from "../../../../shared/results.ts";
import type { AnalysedArm, RunFacts } from "../../../define/analysis.ts";
import { countedForBeta, isCorrect, targetOf } from "../../../metrics/robustness.ts";
import { gridOf } from "../../../volumizer/grid.ts";
import { curveOf } from "../../robustnessCurve.ts";
import { variants } from "./roles.ts";

/** An arm among those that differ in the size of the slices alone. */
export interface DeepArm {
  readonly arm: AnalysedArm;
  /** Slices Z that its volumizer makes of an image. */
  readonly depth: number;
  /** "14×14 slices, Z = 4": both numbers, as the paper's own depths are not those of its slices. */
  readonly label: string;
}

const remainders = ["error", "reflectPad", "drop"] as const;

/** The arms that cut their images and differ in "patch" alone. */
export const differInDepth = <A>(arms: readonly A[], defenseOf: (arm: A) => Choice): readonly A[] =>
  variants(
    arms.filter((arm) => defenseOf(arm).params["volumizer"] !== false),
    defenseOf,
    ["patch"],
  );

/** Those, the shallowest first. */
export function byDepth(arms: readonly AnalysedArm[], [height, width]: RunFacts["inputShape"]): DeepArm[] {
  return differInDepth(arms, ({ report }) => report.defense)
    .map((arm): DeepArm => {
      const { patch, sliceShape, stride, onRemainder } = arm.report.defense.params;
      const rule = remainders.find((one) => one === onRemainder) ?? "error";
      const { Z, sliceHeight, sliceWidth } = gridOf(height, width, {
        patch: sliceShape === "column" ? [height, Number(patch)] : Number(patch),
        stride: Number(stride ?? 0),
        onRemainder: rule,
      });
      return { arm, depth: Z, label: `${sliceHeight}×${sliceWidth} slices, Z = ${Z}` };
    })
    .sort((a, b) => a.depth - b.depth);
}

/** β under an attack on so many pixels: right under attack, of so many. */
export interface PixelPoint {
  readonly pixels: number;
  readonly defended: number;
  readonly of: number;
}

/** β over N as it was measured: the points of a curve over pixels or, without one, the N-pixel attacks that differ in N alone. */
export function betaOverPixels({ report, attacks }: AnalysedArm): PixelPoint[] {
  const curve = report.analyses.find(
    ({ id, params }) => id === "robustnessCurve" && params["over"] === "pixels" && params["betaDenominator"] !== "fooledUndefended",
  );
  const measured = curve
    ? curveOf(curve.data).map(({ value, defended, of }) => ({ pixels: value, defended, of }))
    : variants(attacks, ({ summary }) => summary.attack, ["pixels"], "nPixel").map(({ records, summary: { attack } }) => {
        const counted = countedForBeta(records, targetOf(attack));
        return { pixels: Number(attack.params["pixels"]), defended: counted.filter(isCorrect).length, of: counted.length };
      });
  return measured.sort((a, b) => a.pixels - b.pixels);
}
