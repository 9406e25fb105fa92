import fs from "node:fs";
import { Writer } from "../../backends/onnxruntime/protobuf.ts";
import { openReference } from "../../backends/onnxruntime/reference.ts";
import { evaluate, graphOf, type Unit, type Values } from "../../classifier/graph.ts";
import { readBytes } from "../../io/files.ts";
import { tf, type tfl } from "../../tf.ts";
import { batch } from "./analysis.ts";
import { type Feed, percent, runOn, worst } from "./feed.ts";
import type { Stored } from "./layout.ts";
import type { Lowered } from "./lowered.ts";

/** Outputs compared at a time, and the largest file that is read whole for this. */
const most = { outputs: 200, bytes: 500e6 };
const limit = 1e-3;

/**
 * Names the first layer whose output differs from the file's although its inputs agree. Undefined if no such layer can be compared.
 */
export async function firstDifference(
  network: tfl.LayersModel,
  inputs: tf.Tensor,
  o: Feed & { readonly file: string; readonly lowered: Lowered },
): Promise<string | undefined> {
  if (fs.statSync(o.file).size > most.bytes) return undefined;
  const { input, units } = graphOf(network);
  const values: Values = new Map([[input, inputs]]);
  const layers = units.filter(({ layer }) => o.lowered.plan.origins.has(layer.name));
  const model = Buffer.from(await readBytes(o.file, { most: most.bytes }));
  for (let start = 0; start < layers.length; start += most.outputs) {
    const group = layers.slice(start, start + most.outputs);
    const theirs = await valuesOf(model, group, inputs, o);
    for (const unit of group) {
      const found = await compared(unit, theirs, { values, ...o });
      if (found) return found;
    }
  }
  return undefined;
}

type Tensors = Awaited<ReturnType<typeof runOn>>;
const originOf = (unit: Unit, { plan }: Lowered) => plan.origins.get(unit.layer.name) as { title: string; op: string; value: string };

/** The file's inner values for the first image. Appending a second graph field to the file adds outputs to its graph. */
async function valuesOf(model: Buffer, units: readonly Unit[], inputs: tf.Tensor, o: Feed & { lowered: Lowered }): Promise<Tensors> {
  const names = new Set(units.map((unit) => originOf(unit, o.lowered).value));
  names.delete(o.output);
  const graph = new Writer();
  for (const name of names) if (o.lowered.stored.has(name)) graph.message(12, new Writer().text(1, name));
  const added = new Writer().message(7, graph).finish();
  try {
    const reference = await openReference(new Uint8Array(Buffer.concat([model, added])));
    try {
      return reference ? await runOn(reference, inputs, 0, o) : {};
    } finally {
      await reference?.close();
    }
  } catch {
    return {}; // what cannot be an output of the file, or takes too much memory as one, stays unknown
  }
}

async function compared(
  unit: Unit,
  theirs: Tensors,
  { values, lowered }: { values: Values; lowered: Lowered },
): Promise<string | undefined> {
  const { title, op, value } = originOf(unit, lowered);
  const stored = lowered.stored.get(value);
  const other = theirs[value];
  const known = evaluate(unit, values);
  if (!stored || !other || stored.ref.layer !== unit.layer.name) return undefined;
  const ours = tf.tidy(() => inOrder(known, stored));
  const data = (await ours.data()) as Float32Array;
  ours.dispose();
  const difference = worst(data, Float32Array.from(other.data as ArrayLike<number>).subarray(0, data.length), 1);
  if (difference <= limit) return undefined;
  const apart = Number.isFinite(difference)
    ? `${percent(difference)} instead of at most ${100 * limit} %`
    : "NaN or infinite on one side only";
  return `"${title}" (${op}): ${apart}, shape [${other.dims.join(", ")}]`;
}

/** Values for the first image, in the file's order. */
function inOrder(value: tf.Tensor, { sizes, axes }: Stored): tf.Tensor {
  const first = tf.slice(value, [0, ...value.shape.slice(1).map(() => 0)], [1, ...value.shape.slice(1)]);
  const shape = sizes.map((size) => (size === batch ? 1 : size));
  return tf.transpose(tf.reshape(first, shape), axes.flat());
}
