import { beforeAll, describe, expect, it } from "vitest";
import { useBackend } from "../../../src/engine/backends/index.ts";
import { secondOrderGradients } from "../../../src/engine/gradients/index.ts";
import { tf } from "../../../src/engine/tf.ts";
import { noise } from "../backends/nets.ts";

type Scalar = (...inputs: tf.Tensor[]) => tf.Scalar;
/** `gradients` names what the second derivative cannot do without. */
interface Case {
  readonly name: string;
  readonly gradients: readonly string[];
  readonly shapes: readonly (readonly number[])[];
  readonly f: Scalar;
}

const dot = (a: tf.Tensor, b: tf.Tensor): tf.Scalar => tf.sum(tf.mul(a, b));
const cube = (x: tf.Tensor): tf.Tensor => tf.mul(x, tf.square(x));
const cubes = (x: tf.Tensor): tf.Scalar => tf.sum(cube(x));
const random = (shape: readonly number[], seed: number) => {
  const size = shape.reduce((product, length) => product * length, 1);
  return tf.tensor(noise(size, { seed }), [...shape]);
};
/** Values in random order, no two nearer than 1/20 and none near 0 or 1: a small step changes no maximum, sign or comparison. */
function apart(shape: readonly number[], seed: number): tf.Tensor {
  const size = shape.reduce((product, length) => product * length, 1);
  const keys = noise(size, { seed });
  const order = [...keys.keys()].sort((a, b) => (keys[a] ?? 0) - (keys[b] ?? 0));
  const values = new Float32Array(size);
  for (const [rank, index] of order.entries()) values[index] = (rank - Math.floor(size / 2) + 0.5) / 20;
  return tf.tensor(values, [...shape]);
}

/** φ = Σ vᵢ·∂f/∂xᵢ, a scalar whose gradient is second order. */
const contracted =
  (f: Scalar, directions: readonly tf.Tensor[]): Scalar =>
  (...inputs) =>
    tf
      .grads((...xs: tf.Tensor[]) => f(...xs))(inputs)
      .map((gradient, i) => dot(gradient, directions[i] as tf.Tensor))
      .reduce((sum, term) => tf.add(sum, term));

/** The derivative of φ along a random direction: by nested gradients, and by central differences of φ. */
function derivatives(phi: Scalar, inputs: readonly tf.Tensor[], h: number): [number, number] {
  return tf.tidy(() => {
    const along = inputs.map((x, i) => random(x.shape, 70 + i));
    const gradients = tf.grads((...xs: tf.Tensor[]) => phi(...xs))([...inputs]);
    const exact = gradients.map((g, i) => dot(g, along[i] as tf.Tensor)).reduce((sum, term) => tf.add(sum, term));
    const at = (step: number) => phi(...inputs.map((x, i) => tf.add(x, tf.mul(along[i] as tf.Tensor, step)))).dataSync()[0] ?? Number.NaN;
    return [exact.dataSync()[0] ?? Number.NaN, (at(h) - at(-h)) / (2 * h)];
  });
}
function expectAgreement([exact, differences]: [number, number]): void {
  expect(Math.abs(differences)).toBeGreaterThan(1e-2);
  expect(Math.abs(exact - differences) / Math.abs(differences)).toBeLessThan(1e-2);
}
const secondOf = ({ f, shapes }: Case): [number, number] =>
  tf.tidy(() => {
    const inputs = shapes.map((shape, i) => apart(shape, 11 + i));
    const directions = shapes.map((shape, i) => random(shape, 40 + i));
    return derivatives(contracted(f, directions), inputs, 4e-3);
  });

const t4 = (x?: tf.Tensor) => x as tf.Tensor4D;
const t5 = (x?: tf.Tensor) => x as tf.Tensor5D;
const at = (x?: tf.Tensor) => x as tf.Tensor;
const image = [2, 5, 6, 2];
const volume = [1, 4, 5, 4, 2];
const convolutions: Case[] = [
  {
    name: "conv2d with strides",
    gradients: ["Conv2DBackpropFilter"],
    shapes: [image, [3, 2, 2, 3]],
    f: (x, w) => cubes(tf.conv2d(t4(x), t4(w), [2, 1], "same")),
  },
  {
    name: "depthwise conv2d",
    gradients: ["DepthwiseConv2dNativeBackpropInput", "DepthwiseConv2dNativeBackpropFilter"],
    shapes: [image, [3, 3, 2, 2]],
    f: (x, w) => cubes(tf.depthwiseConv2d(t4(x), t4(w), 2, "same")),
  },
  {
    name: "conv3d with strides",
    gradients: ["Conv3DBackpropInputV2", "Conv3DBackpropFilterV2"],
    shapes: [volume, [2, 3, 2, 2, 2]],
    f: (x, w) => cubes(tf.conv3d(t5(x), t5(w), [1, 2, 1], "same")),
  },
];
const pools: Case[] = [
  ...(
    [
      ["side by side", 2, 2, "valid"],
      ["overlapping and padded", 3, 2, "same"],
    ] as const
  ).map(
    ([kind, size, strides, pad]): Case => ({
      name: `max pool, ${kind}`,
      gradients: ["MaxPoolGrad"],
      shapes: [image],
      f: (x) => cubes(tf.maxPool(t4(x), size, strides, pad)),
    }),
  ),
  ...(
    [
      ["in the plane", [1, 2, 2], [1, 2, 2], "valid"],
      ["overlapping and padded", [2, 3, 3], [1, 2, 2], "same"],
    ] as [string, [number, number, number], [number, number, number], "valid" | "same"][]
  ).map(
    ([kind, size, strides, pad]): Case => ({
      name: `max pool 3-D, ${kind}`,
      gradients: ["MaxPool3DGrad"],
      shapes: [volume],
      f: (x) => cubes(tf.maxPool3d(t5(x), size, strides, pad)),
    }),
  ),
  {
    name: "average pool",
    gradients: ["AvgPoolGrad"],
    shapes: [image],
    f: (x) => cubes(tf.avgPool(t4(x), [3, 2], 1, "valid")),
  },
  {
    name: "average pool 3-D",
    gradients: ["AvgPool3DGrad"],
    shapes: [volume],
    f: (x) => cubes(tf.avgPool3d(t5(x), 2, 1, "valid")),
  },
];
/** Where that holds of x, x³; elsewhere x². */
const chosen = (name: string, gradients: string[], truth: (x: tf.Tensor) => tf.Tensor): Case => ({
  name,
  gradients,
  shapes: [[3, 5]],
  f: (x) => tf.sum(tf.where(truth(at(x)), cube(at(x)), tf.square(at(x)))),
});
const selections: Case[] = [
  { name: "max", gradients: ["Equal"], shapes: [[4, 5]], f: (x) => cubes(tf.max(at(x), 1)) },
  { name: "min", gradients: ["Equal"], shapes: [[4, 5]], f: (x) => cubes(tf.min(at(x), [0, 1], true)) },
  {
    name: "maximum",
    gradients: ["Less", "GreaterEqual"],
    shapes: [
      [4, 5],
      [4, 5],
    ],
    f: (a, b) => cubes(tf.maximum(at(a), at(b))),
  },
  {
    name: "minimum",
    gradients: ["Greater", "LessEqual"],
    shapes: [
      [4, 5],
      [4, 5],
    ],
    f: (a, b) => cubes(tf.minimum(at(a), at(b))),
  },
  { name: "clip", gradients: ["LogicalAnd"], shapes: [[4, 5]], f: (x) => cubes(tf.clipByValue(at(x), -0.3, 0.3)) },
  { name: "leaky ReLU", gradients: ["Greater"], shapes: [[4, 5]], f: (x) => cubes(tf.leakyRelu(at(x), 0.2)) },
  chosen("not equal", ["NotEqual"], (x) => tf.notEqual(tf.step(x), 1)),
  chosen("or, not", ["LogicalOr", "LogicalNot"], (x) => tf.logicalOr(tf.logicalNot(tf.greater(x, 0)), tf.less(x, 0.2))),
  {
    name: "top-k",
    gradients: ["TopK"],
    shapes: [[2, 3, 5]],
    f: (x) => {
      const { values, indices } = tf.topk(at(x), 2);
      return tf.add(cubes(values), tf.sum(tf.mul(tf.cast(indices, "float32"), tf.square(values))));
    },
  },
  {
    name: "gather at places that depend on the input",
    gradients: ["GatherV2", "UnsortedSegmentSum"],
    shapes: [[4, 3]],
    f: (x) => cubes(tf.gather(at(x), tf.argMax(at(x), 0))),
  },
  {
    name: "sign and step",
    gradients: [],
    shapes: [[4, 5]],
    f: (x) => tf.sum(tf.mul(tf.sign(at(x)), tf.mul(tf.step(at(x), 0.5), cube(at(x))))),
  },
];
const cases = [...convolutions, ...pools, ...selections];

beforeAll(async () => {
  await useBackend("cpu");
  await useBackend("onnxruntime");
});

it("every registered gradient has its case", () => {
  const registered = secondOrderGradients(tf).map(({ kernelName }) => kernelName);
  expect([...new Set(cases.flatMap(({ gradients }) => gradients))].sort()).toEqual(registered.sort());
});

it.each(cases.flatMap((entry) => entry.gradients.map((kernel) => [entry.name, kernel, entry] as const)))(
  "%s needs the gradient of %s",
  async (_, kernel, entry) => {
    await tf.setBackend("cpu");
    const config = tf.getGradient(kernel);
    tf.unregisterGradient(kernel);
    try {
      expect(() => secondOf(entry)).toThrow(kernel);
    } finally {
      tf.registerGradient(config);
    }
  },
);

describe.each(["cpu", "onnxruntime"])("on %s", (backend) => {
  beforeAll(async () => {
    await tf.setBackend(backend);
  });

  it.each(cases.map((entry) => [entry.name, entry] as const))("%s: second derivative as by central differences", (_, entry) => {
    expectAgreement(secondOf(entry));
  });

  it("leaves no tensor behind", () => {
    const before = tf.memory().numTensors;
    for (const entry of cases) secondOf(entry);
    expect(tf.memory().numTensors).toBe(before);
  });

  it("the first of tied maxima has the second derivative alone: φ = 3y²·v₀, ∇φ = 6y·v₀ = 12", () => {
    const x = tf.tensor4d([1, 1, 0, 1], [1, 2, 2, 1]);
    const phi = contracted((image) => cubes(tf.maxPool(t4(image), 2, 2, "valid")), [tf.tensor4d([2, 3, 5, 7], [1, 2, 2, 1])]);
    expect([
      ...tf
        .grad((image: tf.Tensor) => phi(image))(x)
        .dataSync(),
    ]).toEqual([12, 0, 0, 0]);
  });

  it("the third derivative of a max pool: Σ of 6·u·v·w at the maximum", () => {
    const x = tf.tensor4d([1, 4, 0, 2], [1, 2, 2, 1]);
    const v = tf.tensor4d([2, 3, 5, 7], [1, 2, 2, 1]);
    const first = contracted((image) => cubes(tf.maxPool(t4(image), 2, 2, "valid")), [v]);
    const second = contracted(first, [v]);
    expect([
      ...tf
        .grad((image: tf.Tensor) => second(image))(x)
        .dataSync(),
    ]).toEqual([0, 54, 0, 0]);
  });

  it("max pooling as by b + relu(a − b)", () => {
    const pairwise = (a: tf.Tensor, b: tf.Tensor) => tf.add(b, tf.relu(tf.sub(a, b)));
    const composed = (x: tf.Tensor) => {
      const [a, b, c, d] = tf.split(tf.reshape(x, [2, 3, 2, 3, 2, 2]).transpose([0, 1, 3, 5, 2, 4]).reshape([36, 4]), 4, 1);
      return pairwise(pairwise(at(a), at(b)), pairwise(at(c), at(d)));
    };
    const x = apart([2, 6, 6, 2], 5);
    const v = random(x.shape, 6);
    const hessian = (f: Scalar) =>
      tf
        .grad((image: tf.Tensor) => contracted(f, [v])(image))(x)
        .dataSync();
    const wanted = hessian((image) => cubes(composed(at(image))));
    const actual = hessian((image) => cubes(tf.maxPool(t4(image), 2, 2, "valid")));
    expect(Math.max(...wanted.map((value, i) => Math.abs(value - (actual[i] ?? Number.NaN))))).toBeLessThan(1e-5);
  });

  describe("a small network", () => {
    const weights = [
      [3, 3, 1, 4],
      [3, 3, 4, 4],
      [4 * 2 * 2, 3],
    ] as const;
    const start = () => weights.map((shape, i) => tf.mul(random(shape, 21 + i), 0.5));
    const head = (a: tf.Tensor, w2: tf.Tensor, w3: tf.Tensor) => {
      const b = tf.relu(tf.conv2d(tf.maxPool(t4(a), 2, 2, "valid"), t4(w2), 1, "same"));
      const z = tf.matMul(tf.reshape(tf.avgPool(b, 2, 2, "valid"), [-1, 16]), w3 as tf.Tensor2D);
      return tf.sum(tf.slice(z, [0, 1], [-1, 1]));
    };
    const features = (x: tf.Tensor, w1: tf.Tensor) => tf.relu(tf.conv2d(t4(x), t4(w1), 1, "same"));
    // No ReLU and no maximum changes within the step for these images.
    const x = () => random([2, 8, 8, 1], 8120001);

    it("d/dw of ‖∂z/∂x‖", () => {
      const norm: Scalar = (w1, w2, w3) => {
        const gradient = tf.grad((image: tf.Tensor) => head(features(image, at(w1)), at(w2), at(w3)))(x());
        return tf.sqrt(dot(gradient, gradient));
      };
      expectAgreement(derivatives(norm, start(), 3e-4));
    });

    it("d/dw of a Grad-CAM map's energy", () => {
      const energy: Scalar = (w1, w2, w3) => {
        const a = features(x(), at(w1));
        const alpha = tf.mean(tf.grad((maps: tf.Tensor) => head(maps, at(w2), at(w3)))(a), [1, 2], true);
        return tf.mul(100, tf.sum(tf.square(tf.relu(tf.sum(tf.mul(alpha, a), -1)))));
      };
      expectAgreement(derivatives(energy, start(), 3e-4));
    });
  });
});
