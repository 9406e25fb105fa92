import type { Static, TObject } from "@sinclair/typebox";
import type { Described, Entry } from "./entry.ts";
import type { Params } from "./params.ts";

export interface Measure extends Entry {
  /** "standalone" looks at one slice; the others compare it with a reference. */
  readonly kind: "standalone" | "distance" | "similarity";
  /** On bytes 0…255, all channels pooled; `b` is the reference and is required unless standalone. */
  measure(a: Uint8Array, b: Uint8Array | undefined, params: Params): number;
  /** The same numbers for many slices and one reference, what depends on the reference alone computed once; absent where nothing does. */
  against?(b: Uint8Array, params: Params): (a: Uint8Array) => number;
}
export function defineMeasure<P extends TObject>(
  spec: Described<P, Static<P>> & {
    readonly kind: Measure["kind"];
    measure(a: Uint8Array, b: Uint8Array | undefined, params: Static<P>): number;
    against?(b: Uint8Array, params: Static<P>): (a: Uint8Array) => number;
  },
): Measure {
  return spec as unknown as Measure;
}
