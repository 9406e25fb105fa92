import { BulwarkError, type ErrorCode } from "../../../shared/errors.ts";

export type Config = Record<string, unknown>;

/** One output of one application of a layer: [name, node, tensor] in the file. */
export interface Ref {
  readonly layer: string;
  /** Which application of the layer, from 0. */
  readonly node: number;
  readonly tensor: number;
}
/** One application of a layer. */
export interface Call {
  readonly inputs: readonly Ref[];
  readonly kwargs: Config;
}
export interface LayerNode {
  readonly name: string;
  readonly className: string;
  /** In the form that tfjs reads, with the layer's name. */
  readonly config: Config;
  /** None for an input. */
  readonly calls: readonly Call[];
  /** A model that is used as a layer. */
  readonly model?: Topology;
  /** An input that the file does not list: the shape of the layer behind it says it. */
  readonly isImplied?: boolean;
}
/** A model's layers and how they are connected, in one form for all dialects. A Sequential model is a chain with an input in front. */
export interface Topology {
  readonly name: string;
  readonly kind: "Sequential" | "Functional";
  readonly layers: readonly LayerNode[];
  readonly inputs: readonly Ref[];
  readonly outputs: readonly Ref[];
}

export const isInput = ({ className }: LayerNode): boolean => className === "InputLayer";
/** How many outputs of a layer may be referred to by node: an input has one without being called. */
export const nodesOf = (layer: LayerNode): number => (isInput(layer) ? 1 : layer.calls.length);
export const refTo = (layer: string, node = 0, tensor = 0): Ref => ({ layer, node, tensor });
export const layersByName = ({ layers }: Topology): Map<string, LayerNode> => new Map(layers.map((layer) => [layer.name, layer]));

/** A word of a file that may hold anything in its place: "" for an object or nothing. (`String` throws for some objects.) */
export const wordOf = (value: unknown): string => (typeof value === "object" || value === undefined ? "" : String(value));

export const record = (value: unknown): Config | undefined =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Config) : undefined;

/** What a table has under a name that a file says: `constructor` and the like are names as well, and in no table. */
export const listed = <T>(table: Readonly<Record<string, T>>, name: string): T | undefined =>
  Object.hasOwn(table, name) ? table[name] : undefined;

const fix = "Export the model again, or use the file from before it was edited.";
/** An error about a model file; `what` completes the sentence that starts with its name. */
export const invalidModel = (file: string, what: string, remedy = fix, code: ErrorCode = "MODEL_INVALID"): BulwarkError =>
  new BulwarkError(code, `${file} ${what}.`, remedy);
