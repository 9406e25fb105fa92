import { inputRangeText } from "../../shared/contract.ts";
import type { ProbeEvidence } from "../../shared/probe.ts";
import type { Classifier } from "../classifier/classifier.ts";
import type { LoadedNetwork } from "../importers/index.ts";
import type { ModelEvidence } from "../rules/evidence.ts";
import { type Images, tf } from "../tf.ts";
import type { Scored } from "./decide.ts";
import { logitsOf } from "./score.ts";

/** What files and layers say of a model: a first layer that normalises is certain, metadata and names are strong. */
export function filedEvidence({ contract, contractSource, notes, outputs }: LoadedNetwork): ProbeEvidence[] {
  const { kind, text } = contractSource;
  const range = inputRangeText(contract.input);
  const found: ProbeEvidence[] = [];
  if (kind === "layer") found.push({ strength: "certain", text: `${text} takes ${range}` });
  else if (kind !== "assumed") found.push({ strength: "strong", text: `${text} says ${range}` });
  for (const note of notes) found.push({ strength: "certain", text: note });
  if (outputs === "probabilities") found.push({ strength: "certain", text: "the outputs are probabilities" });
  return found;
}

/** A model that gives one class for pictures of several: what a wrong range does. */
export function saturated({ id, predictions }: Scored, labels: Int32Array): ProbeEvidence | null {
  const counts = new Map<number, number>();
  for (const prediction of predictions) counts.set(prediction, (counts.get(prediction) ?? 0) + 1);
  const most = Math.max(0, ...counts.values());
  if (new Set(labels).size < 3 || most <= 0.99 * predictions.length) return null;
  return { strength: "strong", text: `with ${id} the model gives one and the same class for all images` };
}

/** Largest differences of scores between two passes over a batch, and between each image in it and alone. */
export async function repeatedPasses(model: Classifier, images: Float32Array, n: number): Promise<NonNullable<ModelEvidence["measured"]>> {
  const x: Images = tf.tensor4d(images, [n, ...model.inputShape]);
  const rows = tf.split(x, n) as Images[];
  try {
    const [one, two] = [await logitsOf(model, x), await logitsOf(model, x)];
    const alone: number[] = [];
    for (const row of rows) alone.push(...(await logitsOf(model, row)));
    return { passDifference: largestDifference(one, two), batchDifference: largestDifference(one, alone) };
  } finally {
    tf.dispose([x, ...rows]);
  }
}

/** Relative to the largest score, so that a network with large ones is not blamed for its last digits. */
function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let [difference, size] = [0, 1];
  for (let i = 0; i < a.length; i++) {
    difference = Math.max(difference, Math.abs((a[i] as number) - (b[i] as number)));
    size = Math.max(size, Math.abs(a[i] as number));
  }
  return difference / size;
}
