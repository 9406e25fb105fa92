import type { tfl } from "../../tf.ts";
import { setWeight } from "../build.ts";
import { firstNonFinite, notFinite } from "../finite.ts";
import type { Reading } from "../modelFile.ts";
import { countOf } from "../strided.ts";
import type { Data } from "./file/elementTypes.ts";
import type { Plan, PlannedWeight } from "./plan.ts";

/**
 * Sets the weights of a network to those of its plan. Each is read in blocks, straight into the array that the network keeps.
 * @throws MODEL_NAN, MODEL_INVALID
 */
export async function setWeights(network: tfl.LayersModel, { weights }: Plan, file: string, { wants, watch }: Reading = {}): Promise<void> {
  const all = [...weights.values()].flat().reduce((sum, { shape }) => sum + countOf(shape), 0);
  let done = 0;
  for (const [name, planned] of weights) {
    const layer = network.getLayer(name);
    if (wants && !wants(layer.getClassName())) continue;
    for (const weight of planned) {
      const variable = layer.weights.find(({ originalName }) => originalName.split("/").at(-1) === weight.name);
      if (!variable || variable.shape.join() !== weight.shape.join())
        throw new Error(`Layer ${name} has no ${weight.name} [${weight.shape.join(", ")}], but [${variable?.shape.join(", ")}]`);
      setWeight(variable, numbersOf(weight, file));
      done += countOf(weight.shape);
      await watch?.({ stage: "weights", share: done / all });
    }
  }
}

/** @throws MODEL_NAN naming the weights in the file */
function numbersOf(weight: PlannedWeight, file: string): Float32Array {
  const { constant, view, factor = 1 } = weight;
  const result = new Float32Array(countOf(weight.shape));
  const isOne = constant.count === 1 && result.length > 1;
  const place = view ? placer(view.shape, view.strides) : undefined;
  constant.forBlocks((block, at) => {
    const wrong = firstNonFinite(block);
    if (wrong >= 0) throw notFinite(`The weights ${constant.title ? `"${constant.title}" ` : ""}of ${file} are`, at + wrong);
    if (isOne) result.fill((block[0] as number) * factor);
    else if (place) place(block, factor, result);
    else if (factor === 1) result.set(block, at);
    else for (let i = 0; i < block.length; i++) result[at + i] = (block[i] as number) * factor;
  });
  return result;
}

/** Writes consecutive blocks into a strided array. */
function placer(shape: readonly number[], strides: readonly number[]) {
  const index = new Array<number>(shape.length).fill(0);
  const last = shape.length - 1;
  const [side, stride] = [shape[last] ?? 1, strides[last] ?? 0];
  let to = 0;
  return (block: Data, factor: number, result: Float32Array): void => {
    for (let i = 0; i < block.length; ) {
      const count = Math.min(side - (index[last] ?? 0), block.length - i);
      for (let k = 0; k < count; k++) result[to + k * stride] = (block[i + k] as number) * factor;
      i += count;
      to += count * stride;
      index[last] = (index[last] ?? 0) + count;
      for (let axis = last; axis >= 0 && index[axis] === shape[axis]; axis--) {
        to -= (strides[axis] as number) * (shape[axis] as number);
        index[axis] = 0;
        if (axis === 0) break;
        to += strides[axis - 1] as number;
        index[axis - 1] = (index[axis - 1] as number) + 1;
      }
    }
  };
}
