import { createHash } from "node:crypto";
import path from "node:path";
import { type Static, Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { BulwarkError } from "../../shared/errors.ts";
import { chunksOf, mostAtOnce, openFile, readBytes, readError, readText } from "../io/files.ts";
import { isLfsPointer, lfsFix } from "../io/lfs.ts";
import type { tf } from "../tf.ts";
import { fileBeside } from "./beside.ts";
import type { Watch } from "./modelFile.ts";
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

/** A `model.json`, with its weight files only located. */
export interface Header {
  readonly topology: Record<string, unknown>;
  /** A graph of TensorFlow's operations, not of layers. */
  readonly isGraph: boolean;
  /** Names of a graph's inputs and outputs. */
  readonly signature: Record<string, unknown> | undefined;
  readonly groups: readonly Group[];
  /** `userDefinedMetadata`: what a trainer or converter left. */
  readonly metadata: Record<string, unknown> | undefined;
  /** Text of the file. */
  readonly content: string;
}
/** Weights stored one after another in files of their own. */
export interface Group {
  readonly specs: readonly WeightSpec[];
  readonly parts: readonly { readonly path: string; readonly size: number }[];
}
export interface Artifacts {
  readonly specs: readonly WeightSpec[];
  readonly weights: Uint8Array<ArrayBuffer>;
  /** Of model.json and the weights after it, hexadecimal. */
  readonly sha256: string;
}

const invalid = (file: string, what: string, fix = "Save or download the model again."): BulwarkError =>
  new BulwarkError("MODEL_INVALID", `${file} ${what}.`, fix);

const pointerOf = (file: string): BulwarkError => invalid(file, "is a Git LFS pointer and not the file itself", lfsFix);

/** Reads a `model.json`, and checks that its weight files are whole. @throws MODEL_INVALID, MODEL_UNSAFE, FILE_NOT_FOUND */
export async function readHeader(file: string): Promise<Header> {
  const content = await readText(file);
  if (isLfsPointer(Buffer.from(content.slice(0, 64)))) throw pointerOf(file);
  const json = parse(content, file);
  const topology = record(json["modelTopology"]);
  if (!topology || !("weightsManifest" in json))
    throw invalid(file, "is not a TensorFlow.js model: modelTopology or weightsManifest is missing");
  const manifest: unknown = json["weightsManifest"];
  if (!Value.Check(Manifest, manifest)) throw invalid(file, "has a weightsManifest that cannot be read");
  const all = manifest.flatMap(({ paths }) => paths);
  const repeated = all.find((name, i) => all.indexOf(name) < i);
  if (repeated !== undefined) throw invalid(file, `names the weight file ${repeated} twice`);
  const groups: Group[] = [];
  for (const { paths, weights } of manifest) groups.push(await groupOf(file, paths, weights));
  const metadata = record(json["userDefinedMetadata"]);
  const isGraph = json["format"] === "graph-model" || "node" in topology;
  return { topology, isGraph, signature: record(json["signature"]) ?? record(metadata?.["signature"]), groups, metadata, content };
}

export const specsOf = ({ groups }: Header): readonly WeightSpec[] => groups.flatMap(({ specs }) => specs);

/** Reads all weights. @throws FILE_UNREADABLE */
export async function readWeights(header: Header, watch?: Watch): Promise<Artifacts> {
  const files = header.groups.flatMap(({ parts }) => parts);
  const all = files.reduce((sum, { size }) => sum + size, 0);
  const parts: Uint8Array[] = [];
  let done = 0;
  for (const { path: part, size } of files) {
    const bytes = await readBytes(part, { most: mostAtOnce });
    if (bytes.length !== size) throw invalid(part, "changed while it was read", "Open the model again once it is written.");
    parts.push(bytes);
    done += size;
    await watch?.({ stage: "weights", share: done / all });
  }
  const weights = inOneBuffer(parts);
  const sha256 = createHash("sha256").update(header.content).update(weights).digest("hex");
  return { specs: specsOf(header), weights, sha256 };
}

/** The `sha256` of `Artifacts`, without all weights in memory at once. @throws FILE_UNREADABLE */
export async function hashOfFiles({ content, groups }: Header): Promise<string> {
  const hash = createHash("sha256").update(content);
  for (const { path: file } of groups.flatMap(({ parts }) => parts)) for await (const bytes of chunksOf(file)) hash.update(bytes);
  return hash.digest("hex");
}

/** Reads some of the weights only, each in place. @throws FILE_UNREADABLE */
export async function readSome({ groups }: Header, wants: (spec: WeightSpec) => boolean): Promise<Pick<Artifacts, "specs" | "weights">> {
  const [specs, pieces]: [WeightSpec[], Uint8Array[]] = [[], []];
  for (const group of groups) {
    let offset = 0;
    for (const spec of group.specs) {
      const length = byteLength(spec);
      if (wants(spec)) {
        specs.push(spec);
        pieces.push(...(await rangeOf(group, offset, length)));
      }
      offset += length;
    }
  }
  return { specs, weights: inOneBuffer(pieces) };
}

/** A range of a group's bytes, which may go over the end of a file. */
async function rangeOf({ parts }: Group, offset: number, length: number): Promise<Uint8Array[]> {
  const pieces: Uint8Array[] = [];
  let start = 0;
  for (const { path: file, size } of parts) {
    const [from, to] = [Math.max(offset, start) - start, Math.min(offset + length, start + size) - start];
    if (from < to) pieces.push(await readRange(file, from, to - from));
    start += size;
  }
  return pieces;
}

async function readRange(file: string, position: number, length: number): Promise<Uint8Array> {
  const handle = await openFile(file);
  try {
    const { buffer, bytesRead } = await handle.read(new Uint8Array(length), 0, length, position);
    return buffer.subarray(0, bytesRead);
  } catch (error) {
    throw readError(error, file);
  } finally {
    await handle.close();
  }
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
async function groupOf(file: string, paths: readonly string[], specs: readonly WeightSpec[]): Promise<Group> {
  const parts: Group["parts"][number][] = [];
  for (const name of paths) parts.push(await partOf(file, path.normalize(name)));
  const expected = specs.reduce((sum, spec) => sum + byteLength(spec), 0);
  const found = parts.reduce((sum, { size }) => sum + size, 0);
  if (found !== expected) {
    const what = found < expected ? "are cut off" : "are too long";
    throw invalid(`The weights of ${file} (${paths.join(", ")})`, `${what}: ${expected} bytes expected, ${found} found`);
  }
  return { specs, parts };
}

/** @throws FILE_NOT_FOUND where the file is not beside the model, as it was copied alone; MODEL_UNSAFE; MODEL_INVALID for a Git LFS pointer */
async function partOf(file: string, relative: string): Promise<Group["parts"][number]> {
  const { place, stats } = fileBeside(file, relative);
  if (isLfsPointer(await readRange(place, 0, 64))) throw pointerOf(`${relative} of ${file}`);
  return { path: place, size: stats.size };
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
