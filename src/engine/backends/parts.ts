import { DeviceFailure } from "./failures.ts";
import { attempt, largestBatch } from "./index.ts";

/**
 * Computes n images at once, or in parts of at most `most` in their order. Where a GPU fails or memory runs out, the part is computed in
 * halves, and later ones stay below the size that failed; a half that fails on a GPU is computed on the CPU. The caller sees to it that
 * an image gets the same result in any part.
 * @param counters whose counts are set back where a part is lost
 * @returns what `work` gave for images [start, end) of each part
 * @throws OUT_OF_MEMORY where even one image is too many
 */
export async function inParts<T, C extends object>(
  n: number,
  most: number,
  counters: C,
  work: (start: number, end: number) => Promise<T>,
): Promise<T[]> {
  const part = async (start: number, end: number): Promise<T[]> => {
    const size = Math.min(most, largestBatch());
    if (end - start > size) return parts(start, end, size);
    const before = { ...counters };
    try {
      return [await attempt(end - start, () => work(start, end))];
    } catch (thrown) {
      if (!(thrown instanceof DeviceFailure)) throw thrown;
      Object.assign(counters, before);
      return parts(start, end, Math.min(most, largestBatch()));
    }
  };
  const parts = async (start: number, end: number, size: number): Promise<T[]> => {
    const all: T[] = [];
    for (let from = start; from < end; from += size) all.push(...(await part(from, Math.min(end, from + size))));
    return all;
  };
  return part(0, n);
}

/** The values of several parts in a row. */
export function inOneRow(parts: readonly Float32Array[]): Float32Array {
  const [first] = parts;
  if (parts.length === 1 && first) return first;
  const all = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
