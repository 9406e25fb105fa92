import type { Node, OpGraph } from "./graph.ts";
import { exportFixed, unsupportedModel, wrongInput } from "./problems.ts";

const pool = "kernel_shape strides pads auto_pad ceil_mode dilations";
const convolution = "kernel_shape strides pads auto_pad dilations group";
const reduction = "axes keepdims noop_with_empty_axes";

/**
 * Known operators and their attributes in all operator sets from 7 on. Any other attribute could change the result. Source: docs/Operators.md and docs/Changelog.md of onnx/onnx.
 */
const attributes: Readonly<Record<string, string>> = {
  Conv: convolution,
  ConvTranspose: `${convolution} output_padding output_shape`,
  MaxPool: `${pool} storage_order`,
  AveragePool: `${pool} count_include_pad`,
  GlobalAveragePool: "",
  GlobalMaxPool: "",
  BatchNormalization: "epsilon momentum spatial training_mode",
  InstanceNormalization: "epsilon",
  GroupNormalization: "epsilon num_groups stash_type",
  LayerNormalization: "axis epsilon stash_type",
  LRN: "alpha beta bias size",
  Relu: "",
  Sigmoid: "",
  Tanh: "",
  Exp: "",
  Log: "",
  Sqrt: "",
  Neg: "",
  Abs: "",
  Erf: "",
  Softplus: "",
  Softsign: "",
  Reciprocal: "",
  Sin: "",
  Cos: "",
  Floor: "",
  Ceil: "",
  Round: "",
  Sign: "",
  LeakyRelu: "alpha",
  Elu: "alpha",
  Selu: "alpha gamma",
  ThresholdedRelu: "alpha",
  PRelu: "",
  HardSigmoid: "alpha beta",
  HardSwish: "",
  Gelu: "approximate",
  Mish: "",
  Celu: "alpha",
  Swish: "alpha",
  Clip: "min max",
  Softmax: "axis",
  LogSoftmax: "axis",
  Hardmax: "axis",
  LpNormalization: "axis p",
  Add: "",
  Sub: "",
  Mul: "",
  Div: "",
  Pow: "",
  Min: "",
  Max: "",
  Mean: "",
  Sum: "",
  Mod: "fmod",
  Equal: "",
  Less: "",
  LessOrEqual: "",
  Greater: "",
  GreaterOrEqual: "",
  And: "",
  Or: "",
  Xor: "",
  Not: "",
  IsNaN: "",
  Where: "",
  MatMul: "",
  Einsum: "equation",
  Gemm: "alpha beta transA transB",
  Flatten: "axis",
  Reshape: "shape allowzero",
  Transpose: "perm",
  Squeeze: "axes",
  Unsqueeze: "axes",
  Concat: "axis",
  Split: "axis split num_outputs",
  Slice: "starts ends axes",
  Gather: "axis",
  GatherND: "batch_dims",
  GatherElements: "axis",
  Unique: "axis sorted",
  TopK: "axis largest sorted",
  OneHot: "axis",
  CumSum: "exclusive reverse",
  ArgMax: "axis keepdims select_last_index",
  ArgMin: "axis keepdims select_last_index",
  ScatterND: "reduction",
  Trilu: "upper",
  Expand: "",
  Tile: "",
  Pad: "mode pads value",
  ReduceMean: reduction,
  ReduceSum: reduction,
  ReduceMax: reduction,
  ReduceMin: reduction,
  ReduceProd: reduction,
  ReduceSumSquare: reduction,
  ReduceLogSum: reduction,
  ReduceLogSumExp: reduction,
  ReduceL1: reduction,
  ReduceL2: reduction,
  Resize:
    "mode coordinate_transformation_mode cubic_coeff_a exclude_outside extrapolation_value nearest_mode antialias axes keep_aspect_ratio_policy",
  Upsample: "mode scales",
  DepthToSpace: "blocksize mode",
  SpaceToDepth: "blocksize",
  Cast: "to saturate",
  Dropout: "ratio seed",
  Identity: "",
  Constant: "value value_float value_floats value_int value_ints value_string value_strings sparse_value",
  ConstantOfShape: "value",
  Shape: "start end",
  Size: "",
  Range: "",
  EyeLike: "dtype k",
  NonZero: "",
  QuantizeLinear: "axis saturate",
  DequantizeLinear: "axis",
};

export const knownOperators: readonly string[] = Object.keys(attributes);
const known = new Map(Object.entries(attributes).map(([op, names]) => [op, new Set(names.split(" "))]));

const control = ["If", "Loop", "Scan"];
const detection = ["NonMaxSuppression", "RoiAlign", "MaxRoiPool"];
const sequences = /^(LSTM|GRU|RNN|Attention|STFT|DFT|StringNormalizer|TfIdfVectorizer|Sequence\w+|SplitToSequence|Optional\w*)$/;
const random = /^(Random\w+|Multinomial|Bernoulli)$/;

/**
 * Checks that every operator and attribute is known.
 * @throws MODEL_UNSUPPORTED naming the node and operator, MODEL_INPUT for a model that is not an image classifier
 */
export function checkOperators({ nodes, file, output }: OpGraph): void {
  const foreign = nodes.find(({ domain }) => domain !== "");
  if (foreign) throw otherDomain(foreign, file);
  const missing = nodes.filter(({ op }) => !known.has(op));
  const [first] = missing;
  if (first) throw refusedOperator(first, { file, output }, missing.length - 1);
  for (const node of nodes)
    for (const [name, attribute] of node.attributes) {
      const isKnown = known.get(node.op)?.has(name) && attribute.isOther !== true;
      if (!isKnown)
        throw unsupportedModel(
          file,
          `has a node "${node.title}" (${node.op}) with ${name}, which is not computed here`,
          "Export it without that attribute.",
        );
    }
}

/** Operators of other domains come from programs that rewrote the network for their own runtime. */
function otherDomain({ domain, op, title }: Node, file: string): Error {
  return unsupportedModel(
    file,
    `uses operators of ${domain} ("${title}", ${op}), which only one runtime has`,
    domain === "ai.onnx.ml" ? "Use an image classifier that was exported without post-processing." : "Use the file before optimisation.",
  );
}

/** Why an operator is not computed on values that depend on the picture. @param others further nodes like it */
export function refusedOperator(node: Node, { file, output }: Pick<OpGraph, "file" | "output">, others = 0): Error {
  const { op, title, opset } = node;
  if (detection.includes(op))
    return wrongInput(file, `gives boxes and classes: it is a detector ("${title}", ${op})`, "Use an image classifier.");
  if ((op === "ArgMax" || op === "TopK") && node.outputs.includes(output))
    return wrongInput(file, `gives a class number, not scores ("${title}", ${op})`, `Export the scores before ${op}.`);
  if (control.includes(op)) return unsupportedModel(file, `decides at run time what to compute ("${title}", ${op})`, exportFixed);
  if (sequences.test(op)) return wrongInput(file, `works on text, sound or sequences ("${title}", ${op})`, "Use an image classifier.");
  if (random.test(op)) return unsupportedModel(file, `draws random numbers ("${title}", ${op})`, exportFixed);
  const more = others === 0 ? "" : `, and ${others} more ${others === 1 ? "node" : "nodes"}`;
  return unsupportedModel(
    file,
    `has a node "${title}" of the operator ${op} (opset ${opset}${more}), which cannot be differentiated here`,
    `Export it without ${op}, such as with other layers or another opset_version.`,
  );
}
