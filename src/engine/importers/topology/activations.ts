import type { Dialect } from "./dialect.ts";
import { type Config, invalidModel, listed, record } from "./graph.ts";

/** What tfjs calls otherwise. */
const names: Readonly<Record<string, string>> = { silu: "swish", log_softmax: "logSoftmax" };
const known: readonly string[] =
  "linear relu relu6 elu selu sigmoid hard_sigmoid hardSigmoid softplus softsign tanh softmax logSoftmax swish mish gelu".split(" ");

/**
 * A layer's activation as the name by which tfjs has it; Keras also writes an object.
 * @throws MODEL_INVALID naming the layer, for a function that tfjs lacks or computes otherwise
 */
export function knownActivation(config: Config, className: string, layer: string, { file, isKeras3 }: Dialect): Config {
  const result = { ...config };
  for (const key of ["activation", "recurrent_activation"]) {
    if (config[key] === undefined || config[key] === null) continue;
    const written = nameOf(config[key]);
    const name = listed(names, written) ?? written;
    const refuse = (why: string): never => {
      throw invalidModel(file, `has a layer "${layer}" (${className}) with the activation "${written}", ${why}`, fix);
    };
    if (isKeras3 && /^hard_?sigmoid$/i.test(name)) refuse("whose slope is 1/6 in Keras 3 and 1/5 in TensorFlow.js");
    if (!known.includes(name)) refuse("which TensorFlow.js lacks");
    result[key] = name;
  }
  return result;
}

const fix = "Replace it by relu, tanh, sigmoid, softmax or another that TensorFlow.js has, and export the model again.";

/** A name, the object of a function, or that of a ReLU layer. */
function nameOf(value: unknown): string {
  if (typeof value === "string") return value;
  const object = record(value);
  const [name, config] = [object?.["class_name"], object?.["config"]];
  if (name === "function" && typeof config === "string") return config;
  if (name === "ReLU") {
    const { max_value = null, negative_slope = 0, threshold = 0 } = (record(config) ?? {}) as Record<string, number | null>;
    if (!negative_slope && !threshold && (max_value === null || max_value === 6)) return max_value === 6 ? "relu6" : "relu";
  }
  return typeof name === "string" ? name : JSON.stringify(value).slice(0, 60);
}
