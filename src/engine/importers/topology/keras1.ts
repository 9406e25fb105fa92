import { type Config, listed } from "./graph.ts";

/** Names of settings: Keras 1 → Keras 2. */
const names: Readonly<Record<string, string>> = {
  nb_filter: "filters",
  border_mode: "padding",
  subsample: "strides",
  atrous_rate: "dilation_rate",
  bias: "use_bias",
  W_regularizer: "kernel_regularizer",
  b_regularizer: "bias_regularizer",
  W_constraint: "kernel_constraint",
  b_constraint: "bias_constraint",
};
const orders: Readonly<Record<string, string>> = { th: "channels_first", tf: "channels_last" };
/** Layer classes: Keras 1 → Keras 2. */
const classes: Readonly<Record<string, string>> = { AtrousConvolution2D: "Conv2D", Deconvolution2D: "Conv2DTranspose" };
const merges: Readonly<Record<string, string>> = {
  sum: "Add",
  mul: "Multiply",
  ave: "Average",
  max: "Maximum",
  concat: "Concatenate",
};
/** Settings that are converted separately or matter only in training. BatchNormalization's mode is 0 in every network trained as a whole. */
const unused: readonly string[] = ["init", "mode", "nb_row", "nb_col", "dim_ordering", "p", "input_dtype", "gamma_init", "beta_init"];

/** Converts a layer of Keras 1 to Keras 2; others are unchanged. */
export function fromKeras1(className: string, config: Config): { readonly className: string; readonly config: Config } {
  if (className === "Merge") return merged(config);
  if (!isKeras1(className, config)) return { className, config };
  const result: Config = {};
  for (const [key, value] of Object.entries(config)) if (!unused.includes(key)) result[listed(names, key) ?? key] = value;
  const { nb_row, nb_col, dim_ordering, p, output_dim } = config as Readonly<Record<string, unknown>>;
  if (nb_row !== undefined) result["kernel_size"] = [nb_row, nb_col];
  if (typeof dim_ordering === "string") result["data_format"] = listed(orders, dim_ordering) ?? dim_ordering;
  if (p !== undefined) result["rate"] = p;
  if (className === "Dense" && output_dim !== undefined) {
    result["units"] = output_dim;
    delete result["output_dim"];
  }
  return { className: listed(classes, className) ?? className, config: result };
}

/** Whether a layer has a setting that only Keras 1 uses. */
function isKeras1(className: string, config: Config): boolean {
  const marks = ["nb_filter", "nb_row", "border_mode", "dim_ordering", "W_regularizer", "beta_init", "init"];
  const isDropout = className === "Dropout" && "p" in config;
  return isDropout || marks.some((key) => key in config);
}

/** `Merge` adds, multiplies or joins its inputs. Its axis counts the batch, as in Concatenate. */
function merged({ mode, concat_axis, name, trainable }: Config): { className: string; config: Config } {
  const className = typeof mode === "string" ? listed(merges, mode) : undefined;
  if (className === undefined) return { className: "Merge", config: { name, mode } };
  return { className, config: { name, trainable: trainable ?? true, ...(mode === "concat" && { axis: concat_axis ?? -1 }) } };
}
