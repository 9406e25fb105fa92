import { BulwarkError } from "../../../shared/errors.ts";
import { count } from "../../../shared/format.ts";
import { isInput, layersByName, type Ref, type Topology } from "./graph.ts";

/** Most layers one behind another. tfjs comes from the scores to the image by recursion, and has no stack left behind some 4,600. ResNet-1001 has 3,341. */
const deepest = 4000;

/**
 * Most layers in all: one that is applied twice counts twice, and a sum of three counts three times. Each takes half a millisecond to build; the
 * largest networks in use have a tenth of these, DenseNet-264 half.
 */
const mostLayers = 10_000;

/** Layers of a topology when those of nested models, as often as these are applied, are layers of its own. */
const layersOf = ({ layers }: Topology): number =>
  layers.reduce((sum, { calls, model }) => {
    const inputs = calls.reduce((all, call) => all + Math.max(1, call.inputs.length), 0);
    return sum + Math.max(1, inputs) * (model ? layersOf(model) : 1);
  }, 0);

/** Before a topology is made flat: 30 models within one another, each applied twice, are a billion layers. @throws MODEL_TOO_LARGE */
export function checkLayers(topology: Topology, file: string): void {
  const layers = layersOf(topology);
  if (layers > mostLayers)
    throw new BulwarkError(
      "MODEL_TOO_LARGE",
      `${file} has ${count(layers)} layers, counted for each of their inputs; the limit is ${count(mostLayers)}.`,
      "Use a smaller network.",
    );
}

/** About a network that is deeper than tfjs can build. @param layers one behind another, where that is known */
export const tooDeep = (file: string, layers?: number): BulwarkError =>
  new BulwarkError(
    "MODEL_TOO_LARGE",
    `${file} has ${layers === undefined ? "too many" : count(layers)} layers in a row; the limit is ${count(deepest)}.`,
    "Use a shallower network.",
  );

/** Before anything is built. @param topology flat, and checked @throws MODEL_TOO_LARGE */
export function checkDepth(topology: Topology, file: string): void {
  if (topology.layers.length <= deepest && topology.layers.every(({ calls }) => calls.length <= 1)) return;
  const known = layersByName(topology);
  const depths = new Map<string, number>();
  const keyOf = ({ layer, node }: Ref): string => `${node}:${layer}`;
  const inputsOf = ({ layer, node }: Ref): readonly Ref[] => {
    const found = known.get(layer);
    return !found || isInput(found) ? [] : (found.calls[node]?.inputs ?? []);
  };
  const stack = [...topology.outputs];
  for (let top = stack.at(-1); top; top = stack.at(-1)) {
    const inputs = inputsOf(top);
    const unknown = inputs.find((ref) => !depths.has(keyOf(ref)));
    if (unknown) stack.push(unknown);
    else {
      depths.set(keyOf(top), 1 + Math.max(0, ...inputs.map((ref) => depths.get(keyOf(ref)) as number)));
      stack.pop();
    }
  }
  const depth = Math.max(...topology.outputs.map((ref) => depths.get(keyOf(ref)) as number)) - 1; // the input is none
  if (depth > deepest) throw tooDeep(file, depth);
}
