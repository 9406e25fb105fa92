import { invalidModel, type Topology } from "./graph.ts";

export interface NamedShape {
  readonly name: string;
  readonly shape: readonly number[];
}

/** Weights that no score depends on: how many images a Normalization saw, and what BatchNormalization keeps for its "renorm" in training. */
const unused = /^\/(count|renorm_\w+)$/;

/** Whether tfjs finds each weight by the name that the file gives it: the layer's name, and the weight's behind it. */
export function areNamedByLayer(stored: readonly NamedShape[], { layers }: Topology): boolean {
  const classes = new Map(layers.map(({ name, className }) => [name, className]));
  const isKnown = ({ name }: NamedShape): boolean => {
    const end = Math.max(0, name.lastIndexOf("/"));
    const className = classes.get(name.slice(0, end));
    const isOtherName = className === "DepthwiseConv2D" && name.slice(end) === "/kernel";
    return className !== undefined && !unused.test(name.slice(end)) && !isOtherName;
  };
  return stored.every(isKnown) && new Set(stored.map(({ name }) => name)).size === stored.length;
}

/**
 * For each stored weight the name that the network has for it; undefined for one that it does not use. Names agree where their ends do
 * (`model/c1/kernel` and `c1/kernel`, at least layer and weight) and the shapes are equal; the longest common end wins.
 * @throws MODEL_INVALID naming the layer, where a weight has no match or several that are as good
 */
export function matchWeights(expected: readonly NamedShape[], stored: readonly NamedShape[], file: string): (string | undefined)[] {
  const left = new Set(stored.keys());
  const parts = stored.map(({ name }) => segments(name).reverse());
  const byEnd = new Map<string, number[]>();
  for (const [i, { shape }] of stored.entries()) {
    const key = endOf(parts[i] as string[], shape);
    const others = byEnd.get(key);
    if (others) others.push(i);
    else byEnd.set(key, [i]);
  }
  const names = new Array<string | undefined>(stored.length);
  for (const weight of expected) {
    const own = segments(weight.name).reverse();
    const places = (byEnd.get(endOf(own, weight.shape)) ?? []).filter((i) => left.has(i));
    const common = places.map((i) => inCommon(own, parts[i] as string[]));
    const best = common.reduce((most, one) => Math.max(most, one), 0);
    const found = places.filter((_, i) => common[i] === best && best >= 2);
    const [layer, kind] = [weight.name.slice(0, weight.name.lastIndexOf("/")), weight.name.slice(weight.name.lastIndexOf("/") + 1)];
    const what = `the ${kind} [${weight.shape.join(", ")}] of its layer "${layer}"`;
    if (found.length === 0)
      throw invalidModel(file, `stores no weights that fit ${what}`, `Export the model with its weights again. ${listOf(stored, left)}`);
    if (found.length > 1)
      throw invalidModel(
        file,
        `stores ${found.length} weights that may be ${what}: ${found
          .slice(0, 8)
          .map((i) => stored[i]?.name)
          .join(", ")}`,
        "Give the layers names of their own, and export the model again.",
      );
    const [place] = found as [number];
    names[place] = weight.name;
    left.delete(place);
  }
  return names;
}

/** TensorFlow 2 names the cell of a recurrent layer between the layer and its weight, `lstm/lstm_cell/kernel`; tfjs does not. */
const cell = /\/(lstm|gru|simple_rnn|conv_lst_m2d|conv_lstm2d)_cell(_\d+)?(?=\/[^/]+$)/;
/** The weight of a DepthwiseConv2D is `depthwise_kernel` in Keras 2 and tfjs, and `kernel` in Keras 3. */
const segments = (name: string): string[] =>
  name
    .replace(/:\d+$/, "")
    .replace(cell, "")
    .replace(/\/depthwise_kernel$/, "/kernel")
    .split("/");
/** Weights that may be the same agree in their layer, what they are of it, and their shape. @param reversed the last segment first */
const endOf = (reversed: readonly string[], shape: readonly number[]): string => JSON.stringify([reversed.slice(0, 2), shape]);

/** How many segments two paths have in common at their ends. @param one and other: the last segment first */
function inCommon(one: readonly string[], other: readonly string[]): number {
  const differs = one.findIndex((segment, i) => segment !== other[i]);
  return differs < 0 ? one.length : differs;
}

const listOf = (stored: readonly NamedShape[], left: ReadonlySet<number>): string => {
  const names = [...left].slice(0, 8).map((i) => `${stored[i]?.name} [${stored[i]?.shape.join(", ")}]`);
  return names.length === 0 ? "No stored weight is left." : `Left in the file: ${names.join(", ")}${left.size > 8 ? ", …" : ""}.`;
};
