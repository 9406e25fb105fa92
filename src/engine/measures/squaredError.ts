import { requireReference } from "./reference.ts";

/** (1/n)·Σ(a−b)², in squared bytes; `id` names the measure in the error. */
export function meanSquaredError(id: string, a: Uint8Array, b: Uint8Array | undefined): number {
  const reference = requireReference(id, a, b);
  let sum = 0;
  for (let i = 0; i < a.length; i++) {
    const difference = (a[i] as number) - (reference[i] as number);
    sum += difference * difference;
  }
  return sum / a.length;
}
