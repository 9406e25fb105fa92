import { tf } from "../tf.ts";
import type { Unit } from "./graph.ts";

/** `LayerSampling` by unit, values in the network's own order of axes. One object for each run. */
export interface UnitSampling {
  readonly rows: readonly number[];
  readonly change: ReadonlyMap<Unit, (value: tf.Tensor) => tf.Tensor>;
}

/** The value of a unit as what follows reads it: changed, with a row for each pass, where the unit is sampled. */
export function sampled(unit: Unit, value: tf.Tensor, sampling: UnitSampling): tf.Tensor {
  const change = sampling.change.get(unit);
  if (!change) return value;
  if (unit.inputs.some((input) => isBehind(input, sampling))) return change(value);
  const [image = 0, ...others] = sampling.rows;
  // One image is not copied for each pass: the change spreads it.
  return change(others.every((other) => other === image) ? tf.slice(value, image, 1) : forPasses(value, sampling));
}

/** The values that a unit is applied to: where some have a row for each pass, all get one. */
export function alike(unit: Unit, inputs: readonly tf.Tensor[], sampling: UnitSampling): tf.Tensor[] {
  const behind = unit.inputs.map((input) => isBehind(input, sampling));
  return inputs.map((value, i) => (behind[i] || !behind.includes(true) ? value : forPasses(value, sampling)));
}

const known = new WeakMap<UnitSampling, Map<Unit, boolean>>();

/** Is sampled, or follows from a unit that is. */
function isBehind(unit: Unit, sampling: UnitSampling): boolean {
  const found = known.get(sampling) ?? new Map<Unit, boolean>();
  known.set(sampling, found);
  const before = [...unit.inputs, ...(unit.inner ? [unit.inner] : [])];
  const answer = found.get(unit) ?? (sampling.change.has(unit) || before.some((one) => isBehind(one, sampling)));
  found.set(unit, answer);
  return answer;
}

const forPasses = (value: tf.Tensor, { rows }: UnitSampling): tf.Tensor => tf.gather(value, tf.tensor1d([...rows], "int32"));
