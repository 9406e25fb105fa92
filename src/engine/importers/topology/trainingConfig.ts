import { type Config, record, wordOf } from "./graph.ts";

/** What tfjs has; anything else is replaced by tfjs's default, which matters only to a network whose training begins anew. */
const initializers =
  /^(Zeros|Ones|Constant|Random(Uniform|Normal)|TruncatedNormal|Identity|VarianceScaling|Glorot(Uniform|Normal)|He(Uniform|Normal)|LeCun(Uniform|Normal)|Orthogonal)$/;
const constraints = /^(MaxNorm|UnitNorm|NonNeg|MinMaxNorm)$/;

/** A configuration without initialisers, regularisers and constraints that tfjs lacks: a loaded network brings its weights. */
export function knownWeights(config: Config): Config {
  const kept = Object.entries(config).flatMap(([key, value]): [string, unknown][] => {
    if (key.endsWith("_initializer")) return isKnownInitializer(value) ? [[key, plain(value)]] : [];
    if (key === "activity_regularizer") return [[key, null]]; // adds to the loss of a training alone, and tfjs refuses a layer that has one
    if (key.endsWith("_regularizer")) return [[key, regularizer(value)]];
    if (key.endsWith("_constraint")) return [[key, constraints.test(classOf(value)) ? plain(value) : null]];
    return [[key, value]];
  });
  return Object.fromEntries(kept);
}

const classOf = (value: unknown): string => wordOf(record(value)?.["class_name"]);

function isKnownInitializer(value: unknown): boolean {
  const distribution = record(record(value)?.["config"])?.["distribution"];
  return initializers.test(classOf(value)) && distribution !== "untruncated_normal";
}

/** {class_name, config} without the module and registered name of Keras 3. */
const plain = (value: unknown): unknown => ({ class_name: classOf(value), config: record(record(value)?.["config"]) ?? {} });

function regularizer(value: unknown): unknown {
  const config = record(record(value)?.["config"]) ?? {};
  const weight = (key: string): number => Number(config[key] ?? 0);
  if (!/^L1L2$|^L[12]$/.test(classOf(value))) return null;
  return { class_name: "L1L2", config: { l1: weight("l1"), l2: weight("l2") } };
}
