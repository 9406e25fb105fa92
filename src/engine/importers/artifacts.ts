import { createHash } from "node:crypto";
import path from "node:path";
import { type Static, Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { BulwarkError } from "../../shared/errors.ts";
import { exists, readBytes, readText } from "../io/files.ts";
import { isLfsPointer, lfsFix } from "../io/lfs.ts";
import type { tf } from "../tf.ts";
import { countOf } from "./strided.ts";
import { record } from "./topology/graph.ts";

const WeightSpec = Type.Object({
  name: Type.String(),
  shape: Type.Array(Type.Integer({ minimum: 0 })),
  dtype: Type.Union([Type.Literal("float32"), Type.Literal("int32"), Type.Literal("bool")]),
  quantization: Type.Optional(
    Type.Object({
      dtype: Type.Union([Type.Literal("uint8"), Type.Literal("uint16"), Type.Literal("float16")]),
      scale: Type.Optional(Type.Number()),
      min: Type.Optional(Type.Number()),
    }),
  ),
});
export type WeightSpec = Static<typeof WeightSpec>;
const Manifest = Type.Array(Type.Object({ paths: Type.Array(Type.String()), weights: Type.Array(WeightSpec) }));

export interface Artifacts {
  readonly topology: Record<string, unknown>;
  readonly specs: readonly WeightSpec[];
  readonly weights: Uint8Array<ArrayBuffer>;
  /** `userDefinedMetadata`: what a trainer or converter left. */
  readonly metadata: Record<string, unknown> | undefined;
  /** Of model.json and the weights after it, hexadecimal. */
  readonly sha256: string;
}

const invalid = (file: string, what: string, fix = "Save or download the model again."): BulwarkError =>
  new BulwarkError("MODEL_INVALID", `${file} ${what}.`, fix);

const pointerOf = (file: string): BulwarkError => invalid(file, "is a Git LFS pointer and not the file itself", lfsFix);

/** Reads a layers model's `model.json` and its weight files, and checks that they are whole. @throws MODEL_INVALID, FILE_NOT_FOUND */
export async function readArtifacts(file: string): Promise<Artifacts> {
  const content = await readText(file);
  if (isLfsPointer(Buffer.from(content.slice(0, 64)))) throw pointerOf(file);
  const json = parse(content, file);
  if (json["format"] === "graph-model" || "node" in (record(json["modelTopology"]) ?? {})) {
    throw invalid(
      file,
      "is a TensorFlow.js graph model, which has no layers",
      "Convert the original with --output_format=tfjs_layers_model.",
    );
  }
  const topology = record(json["modelTopology"]);
  if (!topology || !("weightsManifest" in json))
    throw invalid(file, "is not a TensorFlow.js model: modelTopology or weightsManifest is missing");
  const manifest: unknown = json["weightsManifest"];
  if (!Value.Check(Manifest, manifest)) throw invalid(file, "has a weightsManifest that cannot be read");
  const parts: Uint8Array[] = [];
  for (const { paths, weights } of manifest) parts.push(...(await readGroup(file, paths, weights)));
  const weights = inOneBuffer(parts);
  const sha256 = createHash("sha256").update(content).update(weights).digest("hex");
  const metadata = record(json["userDefinedMetadata"]);
  return { topology, specs: manifest.flatMap((group) => group.weights), weights, metadata, sha256 };
}

/** The parts behind each other in a buffer that holds nothing else. */
function inOneBuffer(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const [first] = parts;
  if (parts.length === 1 && first?.buffer instanceof ArrayBuffer && first.buffer.byteLength === first.length)
    return new Uint8Array(first.buffer); // large files are read into a buffer of their own
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  parts.reduce((offset, part) => {
    all.set(part, offset);
    return offset + part.length;
  }, 0);
  return all;
}

function parse(content: string, file: string): Record<string, unknown> {
  let json: unknown;
  try {
    json = JSON.parse(content);
  } catch (error) {
    const detail = error instanceof Error ? error.message : "";
    throw new BulwarkError("MODEL_INVALID", `${file} is cut off or is not JSON.`, "Save or download the model again.", {
      cause: error,
      detail,
    });
  }
  const object = record(json);
  if (!object) throw invalid(file, "is not a TensorFlow.js model");
  return object;
}

/** The files of one group; together they hold exactly the group's weights. */
async function readGroup(file: string, paths: readonly string[], specs: readonly WeightSpec[]): Promise<Uint8Array[]> {
  const parts: Uint8Array[] = [];
  for (const name of paths) {
    const relative = path.normalize(name);
    if (path.isAbsolute(relative) || relative.startsWith("..")) throw invalid(file, `names the weight file ${name} outside its folder`);
    const part = await weightsOf(file, relative);
    if (isLfsPointer(part)) throw pointerOf(`${relative} of ${file}`);
    parts.push(part);
  }
  const expected = specs.reduce((sum, spec) => sum + byteLength(spec), 0);
  const found = parts.reduce((sum, part) => sum + part.length, 0);
  if (found !== expected) {
    const what = found < expected ? "are cut off" : "are too long";
    throw invalid(`The weights of ${file} (${paths.join(", ")})`, `${what}: ${expected} bytes expected, ${found} found`);
  }
  return parts;
}

/** @throws FILE_NOT_FOUND where the file is not beside the model, as it was copied alone */
async function weightsOf(file: string, relative: string): Promise<Uint8Array> {
  const weights = path.join(path.dirname(file), relative);
  if (!(await exists(weights)))
    throw new BulwarkError(
      "FILE_NOT_FOUND",
      `The weights of ${file}, ${relative}, are not beside it.`,
      "Copy all files of the model into one folder, or export it again.",
    );
  return readBytes(weights);
}

/** Bytes that a weight takes in the file. */
export function byteLength(spec: WeightSpec): number {
  const values = countOf(spec.shape);
  const stored = spec.quantization?.dtype ?? spec.dtype;
  return values * (stored === "uint8" || stored === "bool" ? 1 : stored === "uint16" || stored === "float16" ? 2 : 4);
}

/** The form in which tfjs takes a model that is in memory: with its weights, or without any as it initialises itself. */
export const toHandler = (modelTopology: Record<string, unknown>, stored?: Pick<Artifacts, "specs" | "weights">): tf.io.IOHandler => ({
  load: async () => ({
    modelTopology,
    ...(stored && { weightSpecs: stored.specs as tf.io.WeightsManifestEntry[], weightData: stored.weights.buffer }),
  }),
});
