import path from "node:path";
import type { InputContract } from "../../../shared/contract.ts";
import { exists, readText } from "../../io/files.ts";
import { record, wordOf } from "../topology/graph.ts";
import { type InputEvidence, numbersIn, wordsIn } from "./evidence.ts";

type Json = Readonly<Record<string, unknown>>;

/**
 * Teachable Machine's `metadata.json`, which lies beside its TensorFlow.js export. Its own library trains and predicts with byte/127 − 1, so that
 * white is 1.0079, on the centre square of the picture. Source: `capture` and `cropTo` in libraries/image/src/utils of
 * googlecreativelab/teachablemachine-community. (Its Keras export, of which this file is no part, is used with byte/127.5 − 1.)
 */
function teachableMachine(json: Json): InputEvidence | null {
  const isIts = "tmVersion" in json || (typeof json["packageName"] === "string" && json["packageName"].includes("teachablemachine"));
  const classes = wordsIn(json["labels"]);
  if (!isIts || !classes) return null;
  const side = json["imageSize"];
  const isSize = typeof side === "number" && Number.isInteger(side) && side > 0;
  return {
    source: { kind: "metadata", text: "metadata.json (Teachable Machine)" },
    input: {
      mean: 127,
      scale: 127,
      resize: "cover",
      ...(isSize ? { size: [side, side] } : {}),
      ...(json["grayscale"] === true ? { channels: "gray" } : {}),
    },
    classes,
  };
}

const single = (values: readonly number[]): number | number[] => (new Set(values).size === 1 ? (values[0] as number) : [...values]);

/** (factor·byte − mean) / std as mean and scale of bytes. */
const inBytes = (mean: readonly number[], std: readonly number[], factor: number): Pick<InputContract["input"], "mean" | "scale"> => ({
  mean: single(mean.map((value) => value / factor)),
  scale: single(std.map((value) => value / factor)),
});

const positive = (values: readonly number[] | undefined): readonly number[] | undefined =>
  values?.every((value) => value > 0) ? values : undefined;

/** `preprocessor_config.json` of Hugging Face Transformers. */
function transformers(json: Json): InputEvidence | null {
  if (!("image_mean" in json || "do_normalize" in json || "do_rescale" in json)) return null;
  const rescales = json["do_rescale"] !== false;
  const factor = rescales
    ? typeof json["rescale_factor"] === "number" && json["rescale_factor"] > 0
      ? json["rescale_factor"]
      : 1 / 255
    : 1;
  const normalizes = json["do_normalize"] !== false;
  const mean = normalizes ? numbersIn(json["image_mean"]) : [0];
  const std = normalizes ? positive(numbersIn(json["image_std"])) : [1];
  if (!mean || !std) return null;
  return { source: { kind: "metadata", text: "preprocessor_config.json" }, input: inBytes(mean, std, factor) };
}

/** `config.json` of timm (mean and std of pixels in [0,1]), and of Hugging Face Transformers (names of the classes). */
function modelConfig(json: Json): InputEvidence | null {
  const config = record(json["pretrained_cfg"]) ?? json;
  const [mean, std] = [numbersIn(config["mean"]), positive(numbersIn(config["std"]))];
  const classes = wordsIn(config["label_names"]) ?? (isPlaceholder(json["id2label"]) ? undefined : byIndex(record(json["id2label"])));
  const named = classes ? { classes } : {};
  if (mean && std) return { source: { kind: "metadata", text: "config.json (timm)" }, input: inBytes(mean, std, 1 / 255), ...named };
  return classes ? { source: { kind: "metadata", text: "config.json" }, input: {}, ...named } : null;
}

/** Transformers writes LABEL_0, LABEL_1, … where nobody named the classes. */
const isPlaceholder = (names: unknown): boolean => Object.values(record(names) ?? {}).every((name) => /^LABEL_\d+$/.test(wordOf(name)));

/** Names under "0", "1", …, or "1", "2", …, with none left out; undefined for anything else. */
export function byIndex(names: Json | undefined): string[] | undefined {
  if (!names) return undefined;
  const first = "0" in names ? 0 : 1;
  return wordsIn(Object.keys(names).map((_, i) => names[String(i + first)]));
}

/** What a converter or trainer left in the model's file itself. */
function userDefined(json: Json | undefined, file: string): InputEvidence | null {
  if (!json) return null;
  const name = path.basename(file);
  const where = name.endsWith(".json") ? "userDefinedMetadata of model.json" : `metadata of ${name}`;
  const tm = teachableMachine(json);
  if (tm) return { ...tm, source: { kind: "metadata", text: `${where} (Teachable Machine)` } };
  const named = json["labels"] ?? json["classes"] ?? json["classNames"] ?? json["class_names"];
  const classes = wordsIn(named) ?? byIndex(record(named));
  return classes ? { source: { kind: "metadata", text: where }, input: {}, classes } : null;
}

/** A JSON object, null where there is none: a file of that name may be anybody's. What is no JSON at all is said. */
async function readObject(file: string, notes: string[]): Promise<Json | null> {
  if (!(await exists(file))) return null;
  const content = await readText(file);
  try {
    return record(JSON.parse(content)) ?? null;
  } catch {
    notes.push(`${path.basename(file)} is not JSON and is passed over`);
    return null;
  }
}

const sidecars: readonly (readonly [string, (json: Json) => InputEvidence | null])[] = [
  ["metadata.json", teachableMachine],
  ["preprocessor_config.json", transformers],
  ["config.json", modelConfig],
];

export interface Sidecars {
  /** The most telling first. */
  readonly evidence: readonly InputEvidence[];
  /** What could not be read, for the user to know. */
  readonly notes: readonly string[];
}

/** What known files beside a model, and data inside it, say. */
export async function sidecarEvidence(modelFile: string, metadata: Json | undefined): Promise<Sidecars> {
  const found = [userDefined(metadata, modelFile)];
  const notes: string[] = [];
  for (const [name, read] of sidecars) {
    const json = await readObject(path.join(path.dirname(modelFile), name), notes);
    found.push(json && read(json));
    if (name === "config.json" && json && record(json["id2label"]) && !found.at(-1)?.classes && !isPlaceholder(json["id2label"]))
      notes.push("the class names in id2label of config.json are not understood");
  }
  return { evidence: found.filter((evidence) => evidence !== null), notes };
}
