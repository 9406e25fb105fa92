import { BulwarkError } from "../../shared/errors.ts";
import { type ModelFacts, type ModelSpec, type Params, resolveParams } from "../define/index.ts";
import type { tfl } from "../tf.ts";
import { convert3d } from "./convert3d.ts";

export interface ParameterCounts {
  /** Of the 2-D network, running means and variances included. */
  readonly flat: number;
  /** Of these, weights of kernels, each of which becomes as many as a kernel of the 3-D network is deep. */
  readonly kernels: number;
  /** Of the 3-D network with kernels of depth 1, by number of slices; null where the slices are too small for it. */
  readonly sliced: ReadonlyMap<number, number | null>;
}

/** Side of the slices when √depth of them lie along a side of the image, which is padded to that. */
export const sliceSide = (side: number, depth: number): number => Math.ceil(side / Math.sqrt(depth));

/**
 * Counts the parameters of a model in 2-D, and in 3-D on `depths` slices. The networks are built with zero weights, which cost little, and
 * the deep kernels follow from those of depth 1 and 2: count(kernelDepth) = sliced + (kernelDepth − 1) · kernels.
 */
export function parameterCounts(
  spec: ModelSpec,
  facts: ModelFacts,
  depths: readonly number[],
  o: { readonly params?: Params; readonly depthwise?: "grouped" | "dense" } = {},
): ParameterCounts {
  const [height, width] = facts.inputShape;
  const network = spec.build(resolveParams(spec.params, o.params ?? {}, spec.id), { ...facts, seed: 1, zeroWeights: true });
  const count = (depth: number, kernelDepth: number): number | null => {
    const patch = [sliceSide(height, depth), sliceSide(width, depth)] as const;
    try {
      return counted(convert3d(network, { depth, patch, kernelDepth, depthwise: o.depthwise ?? "grouped" }).network);
    } catch (thrown) {
      if (thrown instanceof BulwarkError && thrown.code === "PARAMETER_INVALID") return null;
      throw thrown;
    }
  };
  const kernels = (count(1, 2) ?? 0) - (count(1, 1) ?? 0);
  const sliced = new Map(depths.map((depth) => [depth, count(depth, 1)]));
  return { flat: counted(network), kernels, sliced };
}

function counted(network: tfl.LayersModel): number {
  const n = network.countParams();
  network.dispose();
  return n;
}
