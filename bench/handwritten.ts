import { Graph, sizeOf, type Value } from "../src/engine/backends/onnxruntime/graph.ts";
import type { Native } from "../src/engine/backends/onnxruntime/native.ts";
import { createRandom } from "../src/engine/random.ts";

/*
 * cnn2d as somebody would write it for ONNX Runtime by hand: channels first throughout, weights as initialisers, so that the runtime
 * folds them and lays out what it likes. The forward pass, and the gradient of the summed cross entropy with respect to the image. What our
 * traced graphs lose against it is what tracing costs.
 */

const batch = 64;
const rng = createRandom("handwritten");
const weights = (g: Graph, shape: readonly number[]): Value =>
  g.initializer(
    shape,
    "float32",
    Float32Array.from({ length: sizeOf(shape) }, () => (rng.next() - 0.5) / 10),
  );

const attributes = { kernel_shape: [3, 3], pads: [1, 1, 1, 1], strides: [1, 1], dilations: [1, 1] };
const pool = { kernel_shape: [2, 2], strides: [2, 2], pads: [0, 0, 0, 0] };

interface Layer {
  readonly filter: Value;
  readonly output: Value;
  /** Set where a pool follows: its result. */
  readonly pooled?: Value;
}

function convolutions(g: Graph, x: Value): Layer[] {
  let current = x;
  return [32, 32, 64, 64, 128, 128].map((filters, i): Layer => {
    const [n = 1, channels = 1, h = 1, w = 1] = current.shape;
    const filter = weights(g, [filters, channels, 3, 3]);
    const raw = g.op("Conv", [current, filter, weights(g, [filters])], [n, filters, h, w], "float32", attributes);
    const output = g.unary("Relu", raw);
    const pooled = i % 2 === 1 ? g.op("MaxPool", [output], [n, filters, h / 2, w / 2], "float32", pool) : undefined;
    current = pooled ?? output;
    return pooled ? { filter, output, pooled } : { filter, output };
  });
}

/** dy of a 2×2 pool laid over its windows and kept where the input is the maximum (ties all keep it: a hand-written graph is content). */
function unpool(g: Graph, dy: Value, { output, pooled }: Layer): Value {
  if (!pooled) return dy;
  const [n = 1, c = 1, h = 1, w = 1] = pooled.shape;
  const wide = (v: Value): Value => g.reshape(g.expand(g.reshape(v, [n, c, h, 1, w, 1]), [n, c, h, 2, w, 2]), output.shape);
  return g.binary("Mul", wide(dy), g.cast(g.binary("Equal", output, wide(pooled), "bool"), "float32"));
}

const mask = (g: Graph, dy: Value, y: Value): Value => g.binary("Mul", dy, g.cast(g.binary("Greater", y, g.scalar(0), "bool"), "float32"));

function model(gradient: boolean): { bytes: Uint8Array; inputs: Value[] } {
  const g = new Graph();
  const x = g.input([batch, 3, 32, 32], "float32");
  const labels = g.input([batch, 10], "float32");
  const layers = convolutions(g, x);
  const last = layers.at(-1)?.pooled ?? x;
  const [first, second] = [weights(g, [2048, 256]), weights(g, [256, 10])];
  const hidden = g.unary("Relu", g.op("Gemm", [g.reshape(last, [batch, 2048]), first, weights(g, [256])], [batch, 256], "float32"));
  const logits = g.op("Gemm", [hidden, second, weights(g, [10])], [batch, 10], "float32");
  if (!gradient) return { bytes: g.encode([logits]), inputs: [x] };
  const dLogits = g.binary("Sub", g.op("Softmax", [logits], [batch, 10], "float32", { axis: 1 }), labels);
  const dHidden = mask(g, g.op("Gemm", [dLogits, second], [batch, 256], "float32", { transB: 1 }), hidden);
  let dy = g.reshape(g.op("Gemm", [dHidden, first], [batch, 2048], "float32", { transB: 1 }), last.shape);
  for (const layer of layers.toReversed()) {
    dy = mask(g, unpool(g, dy, layer), layer.output);
    const [outputs = 1, inputs = 1] = layer.filter.shape;
    const flipped = g.slice(layer.filter, [0, 0, 2, 2], layer.filter.shape, [1, 1, -1, -1]);
    const [n = 1, , h = 1, w = 1] = dy.shape;
    const exchanged = g.transpose(flipped, [1, 0, 2, 3]);
    if (exchanged.shape[1] !== outputs) throw new Error("filters exchange inputs and outputs");
    dy = g.op("Conv", [dy, exchanged], [n, inputs, h, w], "float32", attributes);
  }
  return { bytes: g.encode([dy]), inputs: [x, labels] };
}

/** Runs of the hand-written forward pass and input gradient of cnn2d on the same number of threads. */
export function handwritten(native: Native, threads: number): { forward: () => void; inputGradient: () => void } {
  const runner = (gradient: boolean): (() => void) => {
    const { bytes, inputs } = model(gradient);
    const session = native.create();
    session.loadModel(bytes.buffer, bytes.byteOffset, bytes.byteLength, {
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
      graphOptimizationLevel: "all",
      logSeverityLevel: 3,
      extra: { session: { intra_op: { allow_spinning: "0" } } },
    });
    const feeds = Object.fromEntries(
      inputs.map(({ name, shape }) => [
        name,
        native.tensor(
          "float32",
          Float32Array.from({ length: sizeOf(shape) }, () => rng.next()),
          shape,
        ),
      ]),
    );
    return () => void session.run(feeds, { O0: null }, {});
  };
  return { forward: runner(false), inputGradient: runner(true) };
}
