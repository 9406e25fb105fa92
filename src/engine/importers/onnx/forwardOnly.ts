import path from "node:path";
import { type FileInput, type FileSession, type NumberType, openSession } from "../../backends/onnxruntime/fileSession.ts";
import { reasonOf } from "../../backends/onnxruntime/reason.ts";
import type { ForwardOnly } from "../../classifier/forwardOnly.ts";
import { checkNumbers } from "../../classifier/probabilities.ts";
import { RuntimeScores } from "../../models/layers/index.ts";
import type { tfl } from "../../tf.ts";
import { countOf } from "../strided.ts";
import type { Ending } from "../topology/ending.ts";
import type { Topology } from "../topology/graph.ts";
import { checkBounded } from "./analysis.ts";
import { pictureNumbers } from "./check.ts";
import type { Node, OpGraph } from "./graph.ts";
import { type ImageInput, isTooManyAtOnce } from "./input.ts";
import { Plan } from "./plan.ts";
import { UnsupportedModel, wrongInput } from "./problems.ts";

/** A file that cannot become layers, and that ONNX Runtime runs as it is. */
export interface RuntimeModel {
  readonly forwardOnly: ForwardOnly;
  /** One layer, `RuntimeScores`. */
  readonly topology: Topology;
  /** Of the file, which stays as it is. */
  readonly ending: Pick<Ending, "kind" | "activation">;
  /** Gives the network of that topology the open file. It closes it. */
  attach(network: tfl.LayersModel): void;
  /** Closes the file if no network has it. */
  close(): void;
}

const tried = 2;
/** Largest difference, relative to the largest score, between images together and one by one, and between two runs. */
const sameWithin = 1e-3;

/**
 * Opens a file in ONNX Runtime. It has to give a score for each class, the same ones each time, for an image alone and in a batch; where a
 * batch is refused or gives others, as with dynamic quantisation, images are run one by one.
 * @param o cause: why the file cannot become layers; reason: the same as a clause of its own; name: of the network
 * @throws what `checkBounded` throws; MODEL_UNSUPPORTED, the cause, if ONNX Runtime cannot run it either; MODEL_INPUT, MODEL_NAN
 */
export function openForwardOnly(
  graph: OpGraph,
  image: ImageInput,
  o: { readonly cause: UnsupportedModel; readonly reason: string; readonly name: string },
): RuntimeModel {
  const { cause, reason, name } = o;
  checkBounded(graph, image.sizes);
  const fails = (reason: string): UnsupportedModel =>
    new UnsupportedModel(graph.file, cause.what, cause.fix ?? "", `; ONNX Runtime cannot be used for its scores alone, as ${reason}`);
  if (isTooManyAtOnce(image)) throw fails(`the file takes ${image.fixedCount} images at once`);
  const session = opened(graph.file, fails);
  try {
    const file = new RuntimeFile(session, graph, image, fails);
    const classes = file.classes();
    const plan = new Plan();
    const [, a = 1, b = 1, c = 1] = image.sizes;
    const input = plan.input(graph.input.name, image.isChannelsFirst ? [b, c, a] : [a, b, c]);
    const node = graph.nodes.find((one) => one.outputs.includes(graph.output)) as Node;
    const output = plan.add(RuntimeScores.className, { node, inputs: [input], config: { classes } });
    let isOwned = false;
    return {
      forwardOnly: { file: path.basename(graph.file), reason, fix: cause.fix ?? "" },
      topology: { name, kind: "Functional", layers: plan.layers, inputs: [input], outputs: [output] },
      ending: endingOf(graph),
      attach(network) {
        const layer = network.layers.find((one) => one instanceof RuntimeScores) as RuntimeScores;
        layer.attach(file.run, () => session.dispose());
        isOwned = true;
      },
      close: () => {
        if (!isOwned) session.dispose();
      },
    };
  } catch (error) {
    session.dispose();
    throw error;
  }
}

function opened(file: string, fails: (reason: string) => UnsupportedModel): FileSession {
  let session: FileSession | undefined;
  try {
    session = openSession(file);
  } catch (error) {
    throw fails(`it rejects the file: ${reasonOf(error)}`);
  }
  if (!session) throw fails("it is not installed");
  return session;
}

/** How many images a file takes at once. */
class RuntimeFile {
  private readonly session: FileSession;
  private readonly graph: OpGraph;
  private readonly image: ImageInput;
  private readonly fails: (reason: string) => UnsupportedModel;
  private readonly type: NumberType;
  /** Images in a run; null for any number. */
  private count: number | null;

  constructor(session: FileSession, graph: OpGraph, image: ImageInput, fails: (reason: string) => UnsupportedModel) {
    this.session = session;
    this.graph = graph;
    this.image = image;
    this.fails = fails;
    this.count = image.fixedCount ?? 1;
    const type = image.isBytes ? "uint8" : image.type === 11 ? "float64" : image.type === 1 ? "float32" : undefined;
    if (!type) throw fails("it takes 16-bit numbers");
    this.type = type;
  }

  /** Images [b,H,W,C] → scores [b·k]. The last run of a file for several images repeats the last image. */
  run = (images: Float32Array, [n = 0, ...sides]: readonly number[]): Float32Array => {
    const ordered = this.image.isChannelsFirst ? channelsFirst(images, n, sides) : images;
    const size = countOf(sides);
    const count = this.count ?? n;
    const parts: Float32Array[] = [];
    for (let start = 0; start < n; start += count) {
      const given = Math.min(count, n - start);
      const part = new Float32Array(count * size);
      for (let i = 0; i < count; i++) {
        const from = (start + Math.min(i, given - 1)) * size;
        part.set(ordered.subarray(from, from + size), i * size);
      }
      const scores = this.scoresOf(part, count);
      parts.push(scores.subarray(0, (scores.length / count) * given));
    }
    const all = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
    parts.reduce((at, part) => {
      all.set(part, at);
      return at + part.length;
    }, 0);
    return all;
  };

  private scoresOf(numbers: Float32Array, count: number): Float32Array {
    const data = this.type === "uint8" ? numbers.map((value) => Math.min(255, Math.max(0, Math.round(value)))) : numbers;
    const input: FileInput = { name: this.graph.input.name, type: this.type, data, dims: [count, ...this.image.sizes.slice(1)] };
    return this.session.run(input, this.graph.output).data;
  }

  /** Number of classes. Finds out whether images can be run together. @throws MODEL_INPUT, MODEL_UNSUPPORTED, MODEL_NAN */
  classes(): number {
    const [, a = 1, b = 1, c = 1] = this.image.sizes;
    const sides = this.image.isChannelsFirst ? ([b, c, a] as const) : ([a, b, c] as const);
    const range = this.image.isBytes ? 255 : 1;
    const images = pictureNumbers(sides, tried).map((value) => value * range);
    const shape = [tried, ...sides];
    let alone: Float32Array;
    try {
      alone = this.run(images, shape);
    } catch (error) {
      throw this.fails(`it does not run the file on images of ${sides.join("×")}: ${reasonOf(error)}`);
    }
    const classes = alone.length / tried;
    if (!Number.isInteger(classes) || classes < 1)
      throw wrongInput(this.graph.file, `gives ${alone.length} numbers for ${tried} images`, "Use an image classifier.");
    checkNumbers(alone);
    if (!isSame(this.run(images, shape), alone)) throw this.fails("its scores for the same images differ from run to run");
    if (this.image.fixedCount === null && isSame(this.together(images, shape), alone)) this.count = null;
    return classes;
  }

  private together(images: Float32Array, shape: readonly number[]): Float32Array | undefined {
    const before = this.count;
    this.count = null;
    try {
      return this.run(images, shape);
    } catch {
      return undefined; // sizes inside it are those for one image
    } finally {
      this.count = before;
    }
  }
}

function isSame(some: Float32Array | undefined, others: Float32Array): boolean {
  const largest = others.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return some?.length === others.length && some.every((value, i) => Math.abs(value - (others[i] as number)) <= sameWithin * largest);
}

/** [n,H,W,C] → [n,C,H,W]. */
function channelsFirst(images: Float32Array, n: number, [height = 1, width = 1, channels = 1]: readonly number[]): Float32Array {
  const area = height * width;
  const result = new Float32Array(images.length);
  for (let i = 0; i < n; i++)
    for (let c = 0; c < channels; c++)
      for (let p = 0; p < area; p++) result[(i * channels + c) * area + p] = images[(i * area + p) * channels + c] as number;
  return result;
}

const transparent = ["Identity", "Flatten", "Reshape", "Squeeze", "Cast", "QuantizeLinear", "DequantizeLinear"];

/** The activation that the scores come out of. */
function endingOf({ nodes, output }: OpGraph): RuntimeModel["ending"] {
  let name: string | undefined = output;
  for (let left = nodes.length; left > 0; left--) {
    const node: Node | undefined = nodes.find(({ outputs }) => outputs.includes(name ?? ""));
    if (node?.op === "Softmax" || node?.op === "Sigmoid") {
      const kind = node.op === "Softmax" ? "softmax" : "sigmoid";
      return { kind, activation: kind };
    }
    if (!node || !transparent.includes(node.op)) break;
    name = node.inputs[0];
  }
  return { kind: "none", activation: "" };
}
