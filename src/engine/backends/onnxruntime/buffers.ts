import { sizeOf } from "./graph.ts";
import type { Native, NativeTensor } from "./native.ts";
import type { ElementType } from "./onnx.ts";
import { isSpent, type Overwrite } from "./overwrites.ts";
import type { Entry, Trace } from "./trace.ts";
import { emptyValues } from "./values.ts";

type Values = NativeTensor["data"];

/** Smaller results are allocated by onnxruntime: nothing is gained by keeping them. */
const leastBytes = 2 ** 16;
/** Arrays that this many computations have not taken are left to the garbage collector. */
const idleComputations = 8;

/**
 * Arrays that results are computed into. Without one, onnxruntime computes a result in memory of its own and the binding copies it into a
 * new array: the weights and moments of a training would be allocated, filled with zeros, copied and collected at every step. Arrays of
 * tensors that are gone serve for the results to come, so that two arrays take turns for each weight.
 */
export class Buffers {
  private readonly native: Native;
  /** By type and length; the newest array is taken first. */
  private readonly free = new Map<string, { readonly values: Values; readonly since: number }[]>();
  /** Disposed entries whose arrays pending nodes may still read. */
  private retired: Entry[] = [];
  private computations = 0;

  constructor(native: Native) {
    this.native = native;
  }

  /**
   * Where the results of a trace are written to: over a leaf that is spent, or as `take` says. The values of such a leaf are gone at once, so
   * that a run that fails is never repeated on half of the new ones.
   */
  forResults({ results, leaves }: Trace, overwrites: readonly Overwrite[]): (NativeTensor | null)[] {
    const places = new Map<number, NativeTensor>();
    for (const { result, leaf } of overwrites) {
      const [old, entry] = [leaves[leaf], results[result]];
      if (!old?.feed || !entry || !isSpent(old)) continue;
      places.set(result, this.native.tensor("float32", old.feed.data, entry.shape));
      old.isOurs = false;
      delete old.values;
      delete old.feed;
    }
    return results.map((entry, i) => places.get(i) ?? this.take(entry));
  }

  /** Where a result is written to, whose contents do not matter; null for a small one, which onnxruntime allocates. */
  private take({ dtype, shape }: Entry): NativeTensor | null {
    const size = sizeOf(shape);
    if (4 * size < leastBytes) return null;
    const values = this.free.get(`${dtype}${size}`)?.pop()?.values ?? emptyValues(dtype, size);
    return this.native.tensor(dtype as ElementType, values, shape);
  }

  /** Keeps the array of a disposed entry, if nothing outside the backend has seen it. */
  retire(entry: Entry): void {
    if (entry.isOurs && entry.constant === undefined) this.retired.push(entry);
  }

  /** Call when nothing is pending: retired arrays are free. */
  recycle(): void {
    for (const { dtype, values, isOurs } of this.retired.splice(0)) {
      if (!isOurs || !ArrayBuffer.isView(values) || values.byteLength < leastBytes) continue;
      const key = `${dtype}${(values as Values).length}`;
      const kept = this.free.get(key) ?? [];
      kept.push({ values: values as Values, since: this.computations });
      this.free.set(key, kept);
    }
  }

  /** Arrays that wait to be used again. */
  get size(): number {
    return [...this.free.values()].reduce((sum, kept) => sum + kept.length, 0);
  }

  /** Leaves all free arrays to the garbage collector: memory has run out. */
  clear(): void {
    this.free.clear();
  }

  /** Call once for every computation. */
  age(): void {
    this.computations++;
    for (const [key, kept] of this.free) {
      const first = kept.findIndex(({ since }) => this.computations - since <= idleComputations);
      if (first < 0) this.free.delete(key);
      else kept.splice(0, first);
    }
  }
}
