import { batchNormTraining } from "../../../src/engine/gradients/index.ts";
import { boundedRelu, tf, tfl } from "../../../src/engine/tf.ts";
import { noise } from "../backends/nets.ts";

export type Scalar = (...inputs: tf.Tensor[]) => tf.Scalar;
/** `gradients` names what the second derivative cannot do without. */
export interface Case {
  readonly name: string;
  readonly gradients: readonly string[];
  readonly shapes: readonly (readonly number[])[];
  readonly f: Scalar;
}

export const dot = (a: tf.Tensor, b: tf.Tensor): tf.Scalar => tf.sum(tf.mul(a, b));
export const cube = (x: tf.Tensor): tf.Tensor => tf.mul(x, tf.square(x));
export const cubes = (x: tf.Tensor): tf.Scalar => tf.sum(cube(x));
export const random = (shape: readonly number[], seed: number) => {
  const size = shape.reduce((product, length) => product * length, 1);
  return tf.tensor(noise(size, { seed }), [...shape]);
};
/** Values in random order, no two nearer than 1/20 and none near 0 or 1: a small step changes no maximum, sign or comparison. */
export function apart(shape: readonly number[], seed: number): tf.Tensor {
  const size = shape.reduce((product, length) => product * length, 1);
  const keys = noise(size, { seed });
  const order = [...keys.keys()].sort((a, b) => (keys[a] ?? 0) - (keys[b] ?? 0));
  const values = new Float32Array(size);
  for (const [rank, index] of order.entries()) values[index] = (rank - Math.floor(size / 2) + 0.5) / 20;
  return tf.tensor(values, [...shape]);
}

export const t4 = (x?: tf.Tensor) => x as tf.Tensor4D;
const t5 = (x?: tf.Tensor) => x as tf.Tensor5D;
export const at = (x?: tf.Tensor) => x as tf.Tensor;
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
    name: "dilated conv2d",
    gradients: ["Conv2D"],
    shapes: [image, [3, 2, 2, 3]],
    f: (x, w) => cubes(tf.conv2d(t4(x), t4(w), 1, "same", "NHWC", [2, 3])),
  },
  {
    name: "dilated depthwise conv2d",
    gradients: ["DepthwiseConv2dNative"],
    shapes: [image, [2, 3, 2, 2]],
    f: (x, w) => cubes(tf.depthwiseConv2d(t4(x), t4(w), 1, "valid", "NHWC", [3, 2])),
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

const places = () => tf.tensor2d([0, 1, 2, 2], [2, 2], "int32");
const elementwise: Case[] = [
  { name: "maximum with a row", gradients: ["Maximum"], shapes: [[4, 5], [5]], f: (a, b) => cubes(tf.maximum(at(a), at(b))) },
  { name: "minimum with a row", gradients: ["Minimum"], shapes: [[4, 5], [5]], f: (a, b) => cubes(tf.minimum(at(b), at(a))) },
  {
    name: "squared difference with a column",
    gradients: ["SquaredDifference"],
    shapes: [
      [4, 5],
      [4, 1],
    ],
    f: (a, b) => cubes(tf.squaredDifference(at(a), at(b))),
  },
  { name: "elu", gradients: ["EluGrad"], shapes: [[4, 5]], f: (x) => cubes(tf.elu(at(x))) },
  {
    name: "swish",
    gradients: ["Swish", "SwishGrad"],
    shapes: [[4, 5]],
    f: (x) => cubes(tfl.layers.activation({ activation: "swish" as "relu" }).apply(tf.mul(at(x), 4)) as tf.Tensor),
  },
  {
    name: "bounded relu",
    gradients: ["BoundedRelu", "BoundedReluGrad"],
    shapes: [[4, 5]],
    f: (x) => cubes(boundedRelu(tf.mul(at(x), 20), 6)),
  },
  { name: "relu", gradients: ["Relu"], shapes: [[4, 5]], f: (x) => cubes(tf.relu(tf.mul(at(x), 4))) },
  { name: "relu6", gradients: ["Relu6"], shapes: [[4, 5]], f: (x) => cubes(tf.relu6(tf.mul(at(x), 20))) },
  {
    name: "prelu",
    gradients: [],
    shapes: [
      [4, 5],
      [4, 5],
    ],
    f: (x, slope) => cubes(tf.prelu(at(x), at(slope))),
  },
  { name: "exponential", gradients: [], shapes: [[4, 5]], f: (x) => cubes(tf.exp(at(x))) },
  { name: "sigmoid", gradients: [], shapes: [[4, 5]], f: (x) => cubes(tf.sigmoid(at(x))) },
  { name: "tanh", gradients: [], shapes: [[4, 5]], f: (x) => cubes(tf.tanh(at(x))) },
  { name: "softplus", gradients: [], shapes: [[4, 5]], f: (x) => cubes(tf.softplus(at(x))) },
  { name: "selu", gradients: [], shapes: [[4, 5]], f: (x) => cubes(tf.selu(at(x))) },
  { name: "power", gradients: [], shapes: [[4, 5], [5]], f: (x, y) => cubes(tf.pow(tf.add(tf.square(at(x)), 0.5), at(y))) },
  { name: "softmax", gradients: [], shapes: [[4, 5]], f: (x) => cubes(tf.mul(tf.softmax(tf.mul(at(x), 4)), 4)) },
  { name: "log-softmax", gradients: [], shapes: [[4, 5]], f: (x) => cubes(tf.logSoftmax(at(x))) },
  { name: "log-sum-exp", gradients: [], shapes: [[4, 5]], f: (x) => cubes(tf.logSumExp(at(x), 1)) },
];
const reductions: Case[] = [
  { name: "sum over some axes", gradients: ["Sum"], shapes: [image], f: (x) => cubes(tf.sum(cube(at(x)), [0, 2])) },
  { name: "tile", gradients: ["Tile"], shapes: [[3, 1, 2]], f: (x) => cubes(tf.tile(at(x), [2, 3, 1])) },
  {
    name: "sum of integers",
    gradients: [],
    shapes: [[4, 5]],
    f: (x) => tf.mul(tf.sum(tf.cast(tf.greater(at(x), 0), "int32")), cubes(at(x))),
  },
  {
    name: "mean, axes kept",
    gradients: ["Mean"],
    shapes: [volume],
    f: (x) => tf.mul(cubes(tf.mul(tf.mean(at(x), [1, -1], true), at(x))), 50),
  },
];
const normalisations: Case[] = [
  {
    name: "batch norm in training, with a layer's kernel",
    gradients: ["BatchNormTraining", "BatchNormTrainingGrad"],
    shapes: [[2, 3, 3, 2], [2], [2]],
    f: (x, gamma, beta) => {
      const [y, mean, variance] = batchNormTraining(tf, at(x), at(gamma), at(beta), 1e-3).map(at);
      return tf.add(cubes(at(y)), tf.mul(dot(at(mean), tf.square(at(gamma))), dot(at(variance), at(mean))));
    },
  },
  {
    name: "batch norm in training",
    gradients: [],
    shapes: [[2, 3, 3, 2], [2], [2]],
    f: (x, offset, scale) => {
      const { mean, variance } = tf.moments(at(x), [0, 1, 2]);
      return cubes(tf.batchNorm(t4(x), mean as tf.Tensor1D, variance as tf.Tensor1D, offset as tf.Tensor1D, scale as tf.Tensor1D, 1e-3));
    },
  },
  {
    name: "batch norm with given statistics",
    gradients: ["FusedBatchNorm", "BatchNormFactor"],
    shapes: [[2, 3, 3, 2], [2], [2], [2], [2]],
    f: (x, mean, root, offset, scale) =>
      cubes(
        tf.batchNorm(
          t4(x),
          mean as tf.Tensor1D,
          tf.add(tf.square(at(root)), 0.5) as tf.Tensor1D,
          offset as tf.Tensor1D,
          scale as tf.Tensor1D,
        ),
      ),
  },
  {
    name: "LRN",
    gradients: ["LRNGrad"],
    shapes: [[2, 3, 2, 5]],
    f: (x) => cubes(tf.localResponseNormalization(tf.mul(t4(x), 2) as tf.Tensor4D, 1, 1, 0.5, 0.75)),
  },
];
const arrangements: Case[] = [
  ...(["larger", "smaller"] as const).flatMap((kind): Case[] => {
    const size: [number, number] = kind === "larger" ? [7, 6] : [3, 2];
    return [
      {
        name: `bilinear, ${kind}`,
        gradients: ["ResizeBilinearGrad"],
        shapes: [[2, 4, 4, 2]],
        f: (x) => cubes(tf.image.resizeBilinear(t4(x), size)),
      },
      {
        name: `nearest neighbour, ${kind}`,
        gradients: ["ResizeNearestNeighborGrad"],
        shapes: [[1, 4, 5, 1]],
        f: (x) => cubes(tf.image.resizeNearestNeighbor(t4(x), size)),
      },
    ];
  }),
  {
    name: "strided slice",
    gradients: ["StridedSlice"],
    shapes: [[4, 5]],
    f: (x) => cubes(tf.stridedSlice(at(x), [3, 0], [0, 5], [-2, 2])),
  },
  { name: "depth to space", gradients: ["DepthToSpace"], shapes: [[1, 2, 3, 8]], f: (x) => cubes(tf.depthToSpace(t4(x), 2)) },
  { name: "gatherND", gradients: ["GatherNd"], shapes: [[4, 5]], f: (x) => cubes(tf.gatherND(at(x), places())) },
  { name: "scatterND", gradients: ["ScatterNd"], shapes: [[2]], f: (x) => cubes(tf.scatterND(places(), tf.mul(at(x), 4), [4, 5])) },
  {
    name: "pad",
    gradients: [],
    shapes: [[4, 5]],
    f: (x) =>
      cubes(
        tf.pad(
          at(x),
          [
            [1, 0],
            [0, 2],
          ],
          0.5,
        ),
      ),
  },
  {
    name: "mirror pad",
    gradients: [],
    shapes: [[4, 5]],
    f: (x) =>
      cubes(
        tf.mirrorPad(
          at(x),
          [
            [1, 1],
            [2, 1],
          ],
          "reflect",
        ),
      ),
  },
  { name: "slice", gradients: [], shapes: [[4, 5]], f: (x) => cubes(tf.slice(at(x), [1, 0], [2, 3])) },
  {
    name: "concat and split",
    gradients: [],
    shapes: [
      [4, 6],
      [4, 2],
    ],
    f: (a, b) => {
      const [left, right] = tf.split(tf.concat([at(a), at(b)], 1), 2, 1);
      return cubes(tf.mul(tf.mul(at(left), at(right)), 2));
    },
  },
  {
    name: "stack and unstack",
    gradients: [],
    shapes: [
      [2, 5],
      [2, 5],
    ],
    f: (a, b) => cubes(tf.mul(tf.mul(at(tf.unstack(tf.stack([at(a), at(b)], 1), 1)[0]), 4), at(b))),
  },
  { name: "gather", gradients: [], shapes: [[4, 3]], f: (x) => cubes(tf.gather(at(x), tf.tensor1d([0, 3, 3], "int32"))) },
];
export const cases = [...convolutions, ...pools, ...selections, ...elementwise, ...reductions, ...normalisations, ...arrangements];
