import { readFileSync } from "node:fs";

/** A layer as Keras writes it, and the scores of the network in `kerasLayers.test.ts` with it, computed in numpy by Keras' definitions. */
export interface LayerCase {
  readonly title: string;
  readonly className: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly weights: readonly (readonly [name: string, shape: readonly number[]])[];
  /** Values that the layer gives. */
  readonly size: number;
  readonly scores: readonly number[];
  /** The layer takes these sides instead of [6,6,3]. */
  readonly reshape?: readonly number[];
  /** The layer takes x − 0.55. */
  readonly centred?: boolean;
}

export const layerCases = JSON.parse(readFileSync(new URL("kerasLayers.json", import.meta.url), "utf8")) as readonly LayerCase[];
