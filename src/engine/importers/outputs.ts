import type { InputContract } from "../../shared/contract.ts";
import { runNetwork } from "../classifier/graph.ts";
import { networkInput } from "../classifier/input.ts";
import { inputShapeOf } from "../classifier/network.ts";
import { createRandom } from "../random.ts";
import { type Images, tf, type tfl, valuesOf } from "../tf.ts";

/** How far a sum of probabilities may be from 1. */
const tolerance = 1e-3;
/** Noise in [0,1] times these: scores grow with it, and a softmax does not. */
const amplitudes = [1, 1, 1, 1000, -1000] as const;

/**
 * What a network's outputs are by their values, where nothing else says it: "probabilities" where those of every image sum to 1, "some" where
 * they stay between 0 and 1 and never sum to more, as where a class was cut off. Scores show themselves with the first image.
 */
export async function outputsByValue(network: tfl.LayersModel, contract: InputContract): Promise<"probabilities" | "some" | null> {
  const shape = inputShapeOf(network, contract);
  const random = createRandom("outputs");
  const rows: Float32Array[] = [];
  for (const amplitude of amplitudes) {
    const noise = random.uniforms(shape[0] * shape[1] * shape[2]).map((value) => value * amplitude);
    const row = await scoresOf(network, contract, tf.tensor4d(noise, [1, ...shape]));
    if (!row) return null;
    if (!row.every(Number.isFinite)) continue; // exp() of what is far from any image
    if (!isShare(row)) return null;
    rows.push(row);
  }
  return kindOfRows(rows);
}

/** @param rows outputs of one image each */
export function kindOfRows(rows: readonly Float32Array[]): "probabilities" | "some" | null {
  if (rows.length < 3 || !rows.every(isShare)) return null;
  if (rows.every((row) => sumOf(row) >= 1 - tolerance)) return "probabilities";
  const isConstant = rows.every((row) => row.every((value, k) => value === rows[0]?.[k]));
  return isConstant || rows.length < amplitudes.length ? null : "some";
}

const sumOf = (row: Float32Array): number => row.reduce((sum, value) => sum + value, 0);
const isShare = (row: Float32Array): boolean => row.every((value) => value >= 0) && sumOf(row) <= 1 + tolerance;

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
