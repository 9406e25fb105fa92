import { type Config, invalidModel, listed } from "./graph.ts";

/**
 * The settings of a layer class: those that are computed; and those that are not, with the value for which nothing has to be computed,
 * which is Keras' default.
 */
interface Settings {
  readonly computed: readonly string[];
  readonly only?: Readonly<Record<string, unknown>>;
}

/** Change no score of a network that has its weights: names, shapes that are known otherwise, and what matters in training. */
const harmless =
  /^(name|trainable|dtype|input_dtype|batch_input_shape|batch_size|input_shape|input_spec|seed|build_config|autocast|dynamic|weights|rank|\w*_?(initializer|regularizer|constraint))$/;

const words = (list: string): readonly string[] => list.split(" ").filter((word) => word !== "");
const settings = (computed: string, only: Readonly<Record<string, unknown>> = {}): Settings => ({ computed: words(computed), only });

const convolution = "filters kernel_size strides padding data_format activation use_bias";
const pooling = "pool_size strides padding data_format";
const channelsLast = { data_format: "channels_last" };
const adapter = { lora_rank: null, lora_alpha: null, quantization_config: null };
const recurrent = "units activation recurrent_activation use_bias return_sequences return_state go_backwards unroll";
const recurrentTraining = "dropout recurrent_dropout implementation unit_forget_bias use_cudnn zero_output_for_mask";
const statelessly = { stateful: false, time_major: false };

const table: Readonly<Record<string, Settings>> = {
  InputLayer: settings("", { sparse: false, ragged: false, optional: false }),
  Conv1D: settings(`${convolution} dilation_rate`, { groups: 1 }),
  Conv2D: settings(`${convolution} dilation_rate groups`),
  Conv3D: settings(convolution, { dilation_rate: 1, groups: 1 }),
  Conv2DTranspose: settings(`${convolution} output_padding`, { dilation_rate: 1, groups: 1 }),
  Conv3DTranspose: settings(convolution, { dilation_rate: 1, groups: 1, output_padding: null }),
  SeparableConv2D: settings(`${convolution} dilation_rate depth_multiplier`, { groups: 1 }),
  DepthwiseConv2D: settings("kernel_size strides padding data_format dilation_rate depth_multiplier activation use_bias", { groups: 1 }),
  Cropping2D: settings("cropping data_format"),
  UpSampling2D: settings("size data_format interpolation"),
  ZeroPadding2D: settings("padding data_format"),
  ZeroPadding3D: settings("padding", channelsLast),
  AveragePooling1D: settings("pool_size strides padding", channelsLast),
  MaxPooling1D: settings("pool_size strides padding", channelsLast),
  AveragePooling2D: settings(pooling),
  MaxPooling2D: settings(pooling),
  AveragePooling3D: settings(pooling),
  MaxPooling3D: settings(pooling),
  GlobalAveragePooling1D: settings("", { ...channelsLast, keepdims: false }),
  GlobalMaxPooling1D: settings("", { ...channelsLast, keepdims: false }),
  GlobalAveragePooling2D: settings("data_format keepdims"),
  GlobalMaxPooling2D: settings("data_format keepdims"),
  Dense: settings("units activation use_bias input_dim", adapter),
  EinsumDense: settings("equation output_shape activation bias_axes", adapter),
  MultiHeadAttention: settings("num_heads key_dim value_dim use_bias output_shape attention_axes dropout", {
    flash_attention: null,
    query_shape: null,
    key_shape: null,
    value_shape: null,
  }),
  Activation: settings("activation"),
  Flatten: settings("data_format"),
  Reshape: settings("target_shape"),
  Permute: settings("dims"),
  RepeatVector: settings("n"),
  Masking: settings("mask_value"),
  Embedding: settings("input_dim output_dim input_length mask_zero", { sparse: false, ...adapter }),
  Dropout: settings("rate noise_shape"),
  Add: settings(""),
  Multiply: settings(""),
  Average: settings(""),
  Maximum: settings(""),
  Minimum: settings(""),
  Concatenate: settings("axis"),
  Dot: settings("axes normalize"),
  BatchNormalization: settings(
    "axis epsilon center scale momentum synchronized fused renorm renorm_clipping renorm_momentum virtual_batch_size",
  ),
  LayerNormalization: settings("axis epsilon center scale", { rms_scaling: false }),
  ReLU: settings("max_value negative_slope threshold"),
  LeakyReLU: settings("alpha negative_slope"),
  PReLU: settings("shared_axes"),
  ELU: settings("alpha"),
  ThresholdedReLU: settings("theta"),
  Softmax: settings("axis"),
  Rescaling: settings("scale offset"),
  Normalization: settings("axis mean variance invert"),
  Resizing: settings("height width interpolation crop_to_aspect_ratio fill_mode fill_value", {
    ...channelsLast,
    antialias: false,
    pad_to_aspect_ratio: false,
  }),
  CenterCrop: settings("height width", channelsLast),
  SimpleRNN: settings(`${recurrent} ${recurrentTraining}`, statelessly),
  LSTM: settings(`${recurrent} ${recurrentTraining}`, statelessly),
  GRU: settings(`${recurrent} ${recurrentTraining}`, { ...statelessly, reset_after: false }),
  ConvLSTM2D: settings(`${convolution} dilation_rate ${recurrent} ${recurrentTraining}`, statelessly),
  Bidirectional: settings("layer backward_layer merge_mode", { stateful: false, zero_output_for_mask: false }),
  TimeDistributed: settings("layer"),
  GroupedConv2D: settings(`${convolution} dilation_rate groups`),
  CompactConv2D: settings(`${convolution} dilation_rate groups alpha delta`),
  CompactConv3D: settings(`${convolution} alpha delta`, { dilation_rate: 1, groups: 1 }),
  CompactDense: settings("units activation use_bias input_dim alpha delta"),
  GroupNormalization: settings("groups axis epsilon center scale"),
  BoundedRelu: settings("bound"),
  SliceDense: settings("dense"),
  OpaqueAlpha: settings("alpha axis"),
  TwoClasses: settings(""),
  Affine: settings("scale offset"),
  AppendConstant: settings("shape axis at_start"),
  AvgPoolPad: settings("pool_size strides padding"),
  BatchBroadcast: settings("shape"),
  BatchReshape: settings("target_shape multiple divisor"),
  Binary: settings("operation constant reversed"),
  ChannelShuffle: settings("groups"),
  Clip: settings("min_value max_value"),
  Elementwise: settings("operation alpha beta"),
  FakeQuantize: settings("scale zero_point low high axis"),
  GatherConstant: settings("axis indices"),
  Gelu: settings("approximate"),
  Hardmax: settings(""),
  LocalResponseNormalization: settings("depth_radius bias alpha beta"),
  MatMul: settings("transpose_a transpose_b"),
  MaxPoolPad: settings("pool_size strides padding"),
  Pad2D: settings("padding mode value"),
  Reduce: settings("operation axes keep_dims"),
  Resize2D: settings("height width scales mode coordinates rounding"),
  Select: settings("condition when_true when_false"),
  SliceLayer: settings("axes starts ends steps"),
};

/** The layer classes whose settings are known. */
export const knownClasses: readonly string[] = Object.keys(table);

/**
 * Checks that every setting of a layer that makes a difference is one that is computed: tfjs passes over those that it does not know.
 * @throws MODEL_INVALID naming the layer, the setting and its value
 */
export function checkSettings(className: string, name: string, config: Config, file: string): void {
  const known = listed(table, className);
  if (!known) return;
  for (const [key, value] of Object.entries(config)) {
    const wanted = wantedOf(key);
    if (wanted && known.computed.includes(key) && value !== null && ![value].flat().every(wanted.is))
      throw invalidModel(
        file,
        `has a layer "${name}" (${className}) with ${key} = ${JSON.stringify(value).slice(0, 60)}, which has to be ${wanted.words}`,
      );
    if (harmless.test(key) || known.computed.includes(key)) continue;
    const usual = known.only?.[key] ?? null;
    if (isOff(value) || isUsual(value, usual)) continue;
    throw invalidModel(
      file,
      `has a layer "${name}" (${className}) with ${key} = ${JSON.stringify(value).slice(0, 60)}, which Bulwark does not compute`,
      `Build the model ${usual === null ? `without ${key}` : `with ${key} = ${JSON.stringify(usual)}`} in that layer, and export it again.`,
    );
  }
}

/** Settings that are numbers, by name. tfjs computes with whatever stands there: a text as an ε gives scores that are wrong. */
const counts = /^(filters|units|kernel_size|strides|pool_size|dilation_rate|depth_multiplier|num_heads|key_dim|n)$/;
const numbers = /^(epsilon|momentum|rate|theta|negative_slope|threshold|max_value)$/;
const isNumber = (value: unknown): boolean => typeof value === "number" && Number.isFinite(value);
const isCount = (value: unknown): boolean => isNumber(value) && Number.isInteger(value) && (value as number) > 0;

function wantedOf(key: string): { readonly is: (value: unknown) => boolean; readonly words: string } | undefined {
  if (counts.test(key)) return { is: isCount, words: "a whole number from 1" };
  return numbers.test(key) ? { is: isNumber, words: "a number" } : undefined;
}

/** Empty or switched off: what stands for "not used" under any key. */
const isOff = (value: unknown): boolean =>
  value === null || value === undefined || value === false || (typeof value === "object" && Object.keys(value).length === 0);

/** Equal, or the same number for every axis. */
const isUsual = (value: unknown, usual: unknown): boolean => [value].flat(3).every((one) => one === usual || one === null);
