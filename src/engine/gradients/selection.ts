import type { tf } from "../tf.ts";
import { type Core, gradientOf, zero } from "./config.ts";

/** Truth values are piecewise constant. GreaterEqual is tfjs' too, but returns int32 zeros for int32 inputs, which tfjs then refuses. */
const comparisons = ["Equal", "NotEqual", "Greater", "GreaterEqual", "Less", "LessEqual", "LogicalAnd", "LogicalOr"];

/** dx has dy's values at the places of the k largest elements; the places themselves have no gradient. */
const topK = (core: Core): tf.GradConfig => ({
  kernelName: "TopK",
  inputsToSave: ["x"],
  outputsToSave: [false, true],
  gradFunc: (dys, saved) => {
    const [x, indices] = saved as [tf.Tensor, tf.Tensor];
    const [dy] = dys as [tf.Tensor];
    const places = () => core.oneHot(indices as tf.Tensor1D, x.shape.at(-1) ?? 1, 1, 0, "float32");
    return { x: () => core.sum(core.mul(core.expandDims(dy, -1), places()), -2) };
  },
});

/** A segment's gradient goes to every row that was added to it; rows with a negative number were not. */
const segmentSum = (core: Core): tf.GradConfig =>
  gradientOf<readonly [tf.Tensor]>("UnsortedSegmentSum", ["segmentIds"], (dy, [ids]) => ({
    x: () => {
      const rows = core.gather(dy, core.maximum(ids, core.scalar(0, "int32")));
      const counted = core.reshape(core.greaterEqual(ids, core.scalar(0, "int32")), [...ids.shape, ...dy.shape.slice(1).map(() => 1)]);
      return core.where(counted, rows, core.zerosLike(rows));
    },
    segmentIds: zero(core, ids),
  }));

/** tfjs' own gradient for the data, with a zero gradient for the indices, which may be computed from what is differentiated. */
const withIndices = (core: Core, kernelName: string, name: string): tf.GradConfig[] => {
  const known = core.getGradient(kernelName);
  const at = known?.inputsToSave?.indexOf(name) ?? -1;
  if (!known || at < 0) return [];
  return [
    {
      ...known,
      gradFunc: (dy, saved, attrs) => {
        const indices = saved[at];
        return { ...known.gradFunc(dy, saved, attrs), ...(indices && { [name]: zero(core, indices) }) };
      },
    },
  ];
};

export const selectionGradients = (core: Core): tf.GradConfig[] => [
  ...comparisons.map((kernelName) =>
    gradientOf<readonly [tf.Tensor, tf.Tensor]>(kernelName, ["a", "b"], (_, [a, b]) => ({ a: zero(core, a), b: zero(core, b) })),
  ),
  gradientOf<readonly [tf.Tensor]>("LogicalNot", ["x"], (_, [x]) => ({ x: zero(core, x) })),
  topK(core),
  ...withIndices(core, "GatherV2", "indices"),
  segmentSum(core),
];
