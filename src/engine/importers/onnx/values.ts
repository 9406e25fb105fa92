import { countOf, forPlaces } from "../strided.ts";
import { type Data, dataOf, elementTypes, type Kind } from "./file/elementTypes.ts";
import { forBlocks, type TensorRef } from "./file/tensor.ts";

/** Constants up to this many numbers are cached; larger ones are read or computed again. */
const kept = 1 << 16;

type Facts = Pick<Constant, "kind" | "shape" | "isOfBatch" | "title"> & { readonly type?: number; readonly steps?: number };

/** A value that does not depend on the image. Its numbers are read or computed on demand. */
export class Constant {
  readonly kind: Kind;
  readonly shape: readonly number[];
  /** It depends on the batch size. */
  readonly isOfBatch: boolean;
  /** Name of the weights in messages. */
  readonly title: string;
  /** Code of its element type in the file; undefined for one that was computed. */
  readonly type: number | undefined;
  /** How many computations its numbers take; 0 where they are read, or known. */
  readonly steps: number;
  private readonly visitAll: (visit: (block: Data, at: number) => void) => void;
  private known: Data | undefined;

  constructor(o: Facts, visitAll: Constant["visitAll"]) {
    this.kind = o.kind;
    this.shape = o.shape;
    this.isOfBatch = o.isOfBatch;
    this.title = o.title;
    this.type = o.type;
    this.steps = o.steps ?? 0;
    this.visitAll = visitAll;
  }

  get count(): number {
    return countOf(this.shape);
  }

  /** Visits all numbers in order, block by block. A block is valid until the next one. */
  forBlocks(visit: (block: Data, at: number) => void): void {
    if (this.known) visit(this.known, 0);
    else this.visitAll(visit);
  }

  /** All numbers at once; read only. */
  get data(): Data {
    if (this.known) return this.known;
    const all = dataOf(this.kind, this.count);
    this.visitAll((block, at) => all.set(block, at));
    if (all.length <= kept) this.known = all;
    return all;
  }
}

/** A value that depends on the image. */
export interface Live {
  readonly kind: Kind;
  readonly shape: readonly number[];
}
export type Value = Constant | Live;
export const isConstant = (value: Value | undefined): value is Constant => value instanceof Constant;

export const ofData = (kind: Kind, shape: readonly number[], data: Data, o: { isOfBatch?: boolean; title?: string } = {}): Constant =>
  new Constant({ kind, shape, isOfBatch: o.isOfBatch === true, title: o.title ?? "" }, (visit) => visit(data, 0));

export const ofTensor = (ref: TensorRef, file: string): Constant =>
  new Constant(
    { kind: elementTypes[ref.type]?.kind ?? "float", shape: ref.shape, isOfBatch: false, title: ref.name, type: ref.type },
    (visit) => forBlocks(ref, file, visit),
  );

export const ofInts = (values: readonly number[], isOfBatch = false): Constant =>
  ofData("int", [values.length], Float64Array.from(values), { isOfBatch });

/** Copies the elements of a strided view. */
export function gathered(kind: Kind, data: Data, shape: readonly number[], strides: readonly number[], offset = 0): Data {
  const result = dataOf(kind, countOf(shape));
  let i = 0;
  forPlaces(shape, strides, offset, (place) => {
    result[i++] = data[place] as number;
  });
  return result;
}
