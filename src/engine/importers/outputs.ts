import type { InputContract } from "../../shared/contract.ts";
import { runNetwork } from "../classifier/graph.ts";
import { networkInput } from "../classifier/input.ts";
import { inputShapeOf } from "../classifier/network.ts";
import { createRandom } from "../random.ts";
import type { OutputsByValue } from "../rules/evidence.ts";
import { type Images, tf, type tfl, valuesOf } from "../tf.ts";

/** How far a sum of probabilities may be from 1, relative to it. */
const tolerance = 1e-3;
/** Noise in [0,1] times these: scores grow with it, and a softmax does not. */
const amplitudes = [1, 1, 1, 1000, -1000] as const;
const images = 3;
/** What probabilities sum to, and percentages. */
const scales = [1, 100] as const;

/**
 * What a network's outputs are by their values, where nothing else says it. Those of a softmax or sigmoid stay between 0 and 1, or 100, also
 * far from any image, and scores do not: they show themselves with the first image.
 */
export async function outputsByValue(network: tfl.LayersModel, contract: InputContract): Promise<OutputsByValue | null> {
  const shape = inputShapeOf(network, contract);
  const random = createRandom("outputs");
  const rows: Float32Array[] = [];
  for (const amplitude of amplitudes) {
    const noise = random.uniforms(shape[0] * shape[1] * shape[2]).map((value) => value * amplitude);
    const row = await scoresOf(network, contract, tf.tensor4d(noise, [1, ...shape]));
    if (!row) return null;
    if (!row.every(Number.isFinite)) continue; // exp() of what is far from any image
    if (!isWithin(row, 100)) return null;
    rows.push(row);
  }
  return byRows(rows);
}

/** @param rows outputs of one image each, those far from any image last */
export function byRows(rows: readonly Float32Array[]): OutputsByValue | null {
  if (rows.length < images) return null;
  const all = scales.find((most) => rows.every((row) => isWithin(row, most) && Math.abs(sumOf(row) / most - 1) <= tolerance));
  if (all) return { kind: "all", most: all };
  const most = scales.find((one) => rows.every((row) => isWithin(row, one)));
  const isConstant = rows.every((row) => row.every((value, k) => value === rows[0]?.[k]));
  if (!most || isConstant || rows.length < amplitudes.length) return null;
  const isSome = rows.every((row) => sumOf(row) <= most * (1 + tolerance));
  if (isSome && most === 1) return { kind: "some", most };
  // Units that have died far from any image also stay small.
  const isAlive = rows.slice(images).every((row) => row.some((value) => value > 0));
  return isAlive ? { kind: isSome ? "some" : "each", most } : null;
}

const sumOf = (row: Float32Array): number => row.reduce((sum, value) => sum + value, 0);
const isWithin = (row: Float32Array, most: number): boolean => row.every((value) => value >= 0 && value <= most * (1 + tolerance));

/** Null where the network cannot run on a single image. Opening it is no error; running it later reports the problem. */
async function scoresOf(network: tfl.LayersModel, contract: InputContract, x: Images): Promise<Float32Array | null> {
  try {
    return await valuesOf(tf.tidy(() => runNetwork(network, networkInput(x, contract))));
  } catch {
    return null;
  } finally {
    x.dispose();
  }
}
