import { beforeAll, describe, expect, it } from "vitest";
import { useBackend } from "../../../src/engine/backends/index.ts";
import { boundedRelu, tf, tfl } from "../../../src/engine/tf.ts";
import { difference, frozenPass } from "./nets.ts";

/** Closed forms in double precision: σ(x), x·σ(x) and its first two derivatives. */
const sigma = (x: number): number => 1 / (1 + Math.exp(-x));
const swish = (x: number): number => (x === Number.NEGATIVE_INFINITY ? Number.NaN : x * sigma(x));
const slope = (x: number): number => sigma(x) * (1 + x * (1 - sigma(x)));
const curvature = (x: number): number => sigma(x) * (1 - sigma(x)) * (2 + x * (1 - 2 * sigma(x)));

const points = [-40, -20, -18, -12, -5, -1.278, -1, -1e-3, 0, 1e-20, 1e-3, 0.5, 1, 2.4, 5, 17, 18, 20, 40, 100];
const activation = (name: string) => tfl.layers.activation({ activation: name as "relu" });
const apply = (layer: tfl.layers.Layer, x: tf.Tensor): tf.Tensor => layer.apply(x) as tf.Tensor;
const backends = ["cpu", "onnxruntime"] as const;

beforeAll(async () => {
  for (const backend of backends) await useBackend(backend);
});

describe.each(backends)("swish on %s", (backend) => {
  const f = (x: tf.Tensor): tf.Tensor => apply(activation("swish"), x);
  const along = (values: Float32Array, expected: (x: number) => number): void => {
    for (const [i, x] of points.entries())
      expect(Math.abs((values[i] ?? Number.NaN) - expected(x))).toBeLessThan(1e-6 + 2e-7 * Math.abs(x));
  };

  it("is x·σ(x), by itself and beside its gradient", async () => {
    await tf.setBackend(backend);
    const x = tf.tensor1d(points);
    along(f(x).dataSync<"float32">(), swish);
    const { value, grad } = tf.valueAndGrad((v: tf.Tensor) => tf.sum(f(v)))(x);
    expect(value.dataSync()[0]).toBeCloseTo(
      points.reduce((sum, v) => sum + swish(v), 0),
      3,
    );
    along(grad.dataSync<"float32">(), slope);
  });

  it("has the gradient of its gradient", async () => {
    await tf.setBackend(backend);
    const x = tf.tensor1d(points);
    const second = tf.grad((v: tf.Tensor) => tf.sum(tf.grad((u: tf.Tensor) => tf.sum(f(u)))(v)));
    along(second(x).dataSync<"float32">(), curvature);
    // With a dy of its own: the gradient by dy of Σ c·(dy·s′(x)) is c·s′(x).
    const dy = tf.tensor1d(points.map((_, i) => i - 3));
    const byDy = tf.grad((d: tf.Tensor) => tf.sum(tf.mul(tf.grad((u: tf.Tensor) => tf.sum(tf.mul(f(u), d)))(x), 2)))(dy);
    along(byDy.dataSync<"float32">(), (v) => 2 * slope(v));
  });

  it("lets NaN through", async () => {
    await tf.setBackend(backend);
    const x = tf.tensor1d([Number.NaN, 1, Number.POSITIVE_INFINITY]);
    expect([...f(x).dataSync()].map((v) => Math.fround(v))).toEqual([Number.NaN, Math.fround(swish(1)), Number.POSITIVE_INFINITY]);
    const gradient = tf
      .grad((v: tf.Tensor) => tf.sum(f(v)))(x)
      .dataSync();
    expect(gradient[0]).toBeNaN();
    expect(gradient[1]).toBeCloseTo(slope(1), 6);
  });
});

describe.each(backends)("a ReLU with a largest value on %s", (backend) => {
  const x = [-2, -0, 0, 1e-30, 0.5, 5.999, 6, 6.001, 100, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  const y = [0, 0, 0, 1e-30, 0.5, 5.999, 6, 6, 6, 6, 0].map(Math.fround);
  const passes = [0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0];

  it.each([
    ["the activation relu6", (v: tf.Tensor) => apply(activation("relu6"), v)],
    ["the layer", (v: tf.Tensor) => apply(tfl.layers.reLU({ maxValue: 6 }), v)],
    ["the function", (v: tf.Tensor) => boundedRelu(v, 6)],
  ] as const)("cuts at 0 and at the bound: %s", async (_, f) => {
    await tf.setBackend(backend);
    const { value, grad } = tf.valueAndGrad((v: tf.Tensor) => tf.sum(tf.mul(f(v), 3)))(tf.tensor1d(x));
    expect(value.dataSync()[0]).toBeCloseTo(3 * (y.reduce((a, b) => a + b, 0) as number), 3);
    expect([...f(tf.tensor1d(x)).dataSync()].map((v) => v + 0)).toEqual(y);
    expect([...grad.dataSync()].map((v) => v + 0)).toEqual(passes.map((v) => 3 * v));
  });

  it("lets NaN through and has no second gradient", async () => {
    await tf.setBackend(backend);
    expect([...boundedRelu(tf.tensor1d([Number.NaN, 2]), 1).dataSync()]).toEqual([Number.NaN, 1]);
    const first = tf.grad((u: tf.Tensor) => tf.sum(boundedRelu(u, 6)));
    expect([
      ...tf
        .grad((v: tf.Tensor) => tf.sum(tf.mul(first(v), v)))(tf.tensor1d([-1, 2, 7]))
        .dataSync(),
    ]).toEqual([0, 1, 0]);
  });
});

const { add, batchNormalization, conv2d, depthwiseConv2d, globalAveragePooling2d, multiply, reshape } = tfl.layers;
type Net = (x: tfl.SymbolicTensor) => tfl.SymbolicTensor;
const chain =
  (...layers: readonly tfl.layers.Layer[]): Net =>
  (x) =>
    layers.reduce((value, layer) => layer.apply(value) as tfl.SymbolicTensor, x);
const relu6 = () => tfl.layers.reLU({ maxValue: 1 });
const pointwise = (filters: number, activation?: "swish" | "sigmoid") =>
  conv2d({ filters, kernelSize: 1, ...(activation ? { activation: activation as "sigmoid" } : {}) });
const depthwise = (kernelSize: number, more: object = {}) => depthwiseConv2d({ kernelSize, padding: "same", useBias: false, ...more });
/** Channels weighed by a function of their means, as in EfficientNet; what is weighed may be read by something else too. */
const weighed =
  (channels: number, isShared: boolean): Net =>
  (x) => {
    const means = reshape({ targetShape: [1, 1, channels] }).apply(globalAveragePooling2d({}).apply(x)) as tfl.SymbolicTensor;
    const product = multiply().apply([x, chain(pointwise(4, "swish"), pointwise(channels, "sigmoid"))(means)]) as tfl.SymbolicTensor;
    return isShared ? (add().apply([product, x]) as tfl.SymbolicTensor) : product;
  };
const then =
  (...parts: readonly Net[]): Net =>
  (x) =>
    parts.reduce((value, part) => part(value), x);

/** The blocks of MobileNet and EfficientNet, with channels that fill whole blocks of onnxruntime's layout and with some that do not. */
const nets: Readonly<Record<string, () => Net>> = {
  ...Object.fromEntries(
    [16, 24, 5].flatMap((channels) =>
      [
        ["stride 1", 3, {}],
        ["stride 2", 3, { strides: 2 }],
        ["stride 2, kernel 5", 5, { strides: 2 }],
        ["strides 3 and 1, no padding", 3, { strides: [3, 1], padding: "valid" }],
        ["stride 2, kernel 1", 1, { strides: 2 }],
        ["dilation 2", 3, { dilationRate: 2 }],
        ["stride 1, a bias, a norm", 3, { useBias: true, norm: true }],
      ].map(([name, kernel, more]) => {
        const { norm, ...rest } = more as { norm?: boolean };
        const middle = () => [depthwise(kernel as number, rest), ...(norm ? [batchNormalization({})] : [])];
        const net = () => chain(pointwise(channels), relu6(), ...middle(), relu6(), pointwise(8));
        return [`a depthwise convolution of ${channels} channels, ${name}`, net];
      }),
    ),
  ),
  "an inverted bottleneck of swish": () => (x) => {
    const narrow = pointwise(16).apply(x) as tfl.SymbolicTensor;
    const layers = [pointwise(32), batchNormalization({}), activation("swish"), depthwise(3), batchNormalization({}), activation("swish")];
    const wide = chain(...layers, pointwise(16), batchNormalization({}))(narrow);
    return add().apply([wide, narrow]) as tfl.SymbolicTensor;
  },
  "weighed channels": () => then(chain(pointwise(16)), weighed(16, false), chain(pointwise(8))),
  "weighed channels that are read twice": () => then(chain(pointwise(16), activation("swish")), weighed(16, true), chain(pointwise(8))),
  "weighed channels that fill no block": () => then(chain(pointwise(5)), weighed(5, true), chain(pointwise(8))),
};
const image = [3, 9, 8, 16];

describe("networks of depthwise convolutions", () => {
  it.each(Object.keys(nets))("with %s give cpu's output and gradient", async (name) => {
    const net = nets[name] as () => Net;
    await tf.setBackend("cpu");
    const [output, gradient] = frozenPass(net(), image);
    await tf.setBackend("onnxruntime");
    const [ours, ourGradient] = frozenPass(net(), image);
    expect(ours).toHaveLength(output.length);
    expect(difference(ours, output)).toBeLessThan(2e-6);
    expect(difference(ourGradient, gradient)).toBeLessThan(2e-6);
  });
});

it("numbers for each image and channel that are repeated over a plane may be added to a single position", async () => {
  await tf.setBackend("onnxruntime");
  const x = tf.tensor4d(
    Array.from({ length: 32 }, (_, i) => i - 9),
    [2, 1, 1, 16],
  );
  const tripled = tf.depthwiseConv2d(x, tf.fill([1, 1, 16, 1], 3) as tf.Tensor4D, 1, "same"); // in blocks
  const sum = tf.add(tripled, tf.tile(x, [1, 3, 2, 1]));
  expect(sum.shape).toEqual([2, 3, 2, 16]);
  const wanted = Array.from({ length: 192 }, (_, i) => 4 * (16 * Math.floor(i / 96) + (i % 16) - 9));
  expect(Array.from(sum.dataSync())).toEqual(wanted);
});
