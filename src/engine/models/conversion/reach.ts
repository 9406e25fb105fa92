import type { tfl } from "../../tf.ts";

/** How far the output at a place along the depth looks: to so many slices before it and behind it. */
interface Sight {
  readonly front: number;
  readonly behind: number;
}

/**
 * Receptive field along the depth: how many of the Z slices of a volume, at most, have scores that the content of one slice changes, for
 * a given order of the slices. 1 says that every slice is judged on its own.
 * @param network as `convert3d` made it, [Z,p_h,p_w,C] → [Z,k]; also one that was saved and opened again
 */
export function reachOf(network: tfl.LayersModel): number {
  const [input] = network.inputs;
  const [output] = network.outputs;
  const Z = input?.shape[1];
  if (!output || input?.shape.length !== 5 || typeof Z !== "number") throw new Error("The network takes no volumes of slices.");
  const known = new Map<number, Sight>();
  const sightOf = (tensor: tfl.SymbolicTensor): Sight => {
    const found = known.get(tensor.id);
    if (found) return found;
    const inputs = (tensor.inputs ?? []).map(sightOf);
    const before = { front: most(inputs.map(({ front }) => front)), behind: most(inputs.map(({ behind }) => behind)) };
    const own = ownSight(tensor, Z);
    const sight = { front: before.front + own.front, behind: before.behind + own.behind };
    known.set(tensor.id, sight);
    return sight;
  };
  const { front, behind } = sightOf(output);
  return Math.min(Z, front + behind + 1);
}

const most = (values: readonly number[]): number => Math.max(0, ...values);

/** What a layer itself adds. All others of a converted network treat each slice alone. */
function ownSight({ sourceLayer: layer, inputs = [] }: tfl.SymbolicTensor, Z: number): Sight {
  const config = layer.getConfig();
  switch (layer.getClassName()) {
    case "Conv3D":
    case "CompactConv3D":
      return ofKernel(Number([config["kernelSize"]].flat()[0]));
    case "Add": // the taps of a depthwise or grouped convolution, one for each slice of its kernel
      return ofKernel(
        inputs.every(({ sourceLayer }) => /^(Depthwise|Grouped)Conv2D$/.test(sourceLayer.getClassName())) ? inputs.length : 1,
      );
    case "GroupNormalization": // over all slices too
      return { front: Z, behind: Z };
    case "LayerNormalization": // slices are stacked as rows: what is normalised over rows is normalised over all slices
      return inputs[0]?.shape.length === 4 && [config["axis"]].flat().includes(1) ? { front: Z, behind: Z } : ofKernel(1);
    default:
      return ofKernel(1);
  }
}

const ofKernel = (depth: number): Sight => {
  const front = Math.floor((depth - 1) / 2);
  return { front, behind: depth - 1 - front };
};
