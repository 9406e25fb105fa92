import { numbersIn } from "../strided.ts";
import { type Config, type LayerNode, type Ref, refTo } from "../topology/graph.ts";
import type { Node } from "./graph.ts";
import type { Constant } from "./values.ts";

/** A weight of a layer, and the constant in the file that it comes from. */
export interface PlannedWeight {
  /** Its name in tfjs: "kernel", "bias", "gamma", … */
  readonly name: string;
  readonly shape: readonly number[];
  readonly constant: Constant;
  /** Shape of the constant in its own order, and for each axis the stride in the weight. Without it, the order is the file's. */
  readonly view?: { readonly shape: readonly number[]; readonly strides: readonly number[] };
  /** Multiplies each number; 1 if absent. */
  readonly factor?: number;
}
/** The node that a layer comes from. */
export interface Origin {
  readonly title: string;
  readonly op: string;
  /** Name of the value that the layer computes. */
  readonly value: string;
}

const longestName = 128;

/** The layers of a network in order of creation, with their weights and origins in the file. */
export class Plan {
  readonly layers: LayerNode[] = [];
  readonly weights = new Map<string, readonly PlannedWeight[]>();
  readonly origins = new Map<string, Origin>();
  /** Layers that move numbers, which takes time; convolutional networks have none. */
  readonly moves: Origin[] = [];
  private readonly taken = new Set<string>();

  /** How many numbers its weights hold together. */
  get numbers(): number {
    return numbersIn([...this.weights.values()].flat());
  }

  add(
    className: string,
    o: {
      readonly node: Node;
      readonly suffix?: string;
      readonly inputs: readonly Ref[];
      readonly config?: Config;
      readonly weights?: readonly PlannedWeight[];
    },
  ): Ref {
    const name = this.unique(`${o.node.title}${o.suffix ?? ""}`);
    const config = { name, trainable: true, dtype: "float32", ...o.config };
    this.layers.push({ name, className, config, calls: [{ inputs: [...o.inputs], kwargs: {} }] });
    if (o.weights) this.weights.set(name, o.weights);
    this.origins.set(name, { title: o.node.title, op: o.node.op, value: o.node.outputs[0] ?? "" });
    return refTo(name);
  }

  input(name: string, shape: readonly number[]): Ref {
    const unique = this.unique(name);
    const config = { name: unique, batch_input_shape: [null, ...shape], dtype: "float32", sparse: false };
    this.layers.push({ name: unique, className: "InputLayer", config, calls: [] });
    return refTo(unique);
  }

  /** The image itself, or what a frozen Affine makes of it: how images are normalised is no matter of training. */
  isOfInput({ layer }: Ref): boolean {
    const found = this.layers.find(({ name }) => name === layer);
    return found?.className === "InputLayer" || (found?.className === "Affine" && found.config["trainable"] === false);
  }

  private unique(title: string): string {
    const plain =
      title
        .replace(/[^A-Za-z0-9_./-]/g, "_")
        .replace(/^[^A-Za-z0-9]+/, "")
        .slice(0, longestName) || "layer";
    let name = plain in {} ? `${plain}_` : plain; // tfjs has names as keys of objects
    for (let i = 2; this.taken.has(name); i++) name = `${plain}_${i}`;
    this.taken.add(name);
    return name;
  }
}
