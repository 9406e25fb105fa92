import path from "node:path";
import { Type } from "@sinclair/typebox";
import { BulwarkError } from "../../shared/errors.ts";
import { epochRecord } from "../../shared/runShapes.ts";
import { list, natural, readAs, type Shape } from "../../shared/shapes.ts";
import { exists, mostAtOnce, readBytes, writeAtomic } from "../io/files.ts";
import { sealed, unsealed } from "../io/seal.ts";
import { tf, type tfl } from "../tf.ts";
import type { EpochRecord } from "./history.ts";
import type { Optimizer } from "./optimizers.ts";

const latest = "checkpoint.bin";
const best = "best.bin";

interface Header {
  readonly version: 2;
  readonly history: readonly EpochRecord[];
  readonly optimizerSteps: number;
  readonly shapes: readonly (readonly number[])[];
}

const headerShape: Shape<Header> = Type.Object({
  version: Type.Literal(2),
  history: list(epochRecord),
  optimizerSteps: natural,
  shapes: list(list(natural)),
});

/**
 * 4 bytes length of the header, the header as JSON, the tensors as float32, little-endian, and SHA-256 of it all: one file, so that it is whole
 * or absent.
 */
async function encode(header: Omit<Header, "shapes">, tensors: readonly tf.Tensor[]): Promise<Uint8Array> {
  const values = await Promise.all(tensors.map((tensor) => tensor.data<"float32">()));
  const json = Buffer.from(JSON.stringify({ ...header, shapes: tensors.map((tensor) => tensor.shape) } satisfies Header));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(json.length);
  return sealed(Buffer.concat([length, json, ...values.map((v) => Buffer.from(v.buffer, v.byteOffset, v.byteLength))]));
}

interface Decoded {
  readonly header: Header;
  readonly values: readonly Float32Array[];
}

/** Null for a file that is missing, damaged, or of another network or version. */
async function decode(file: string, tensors: readonly tf.Tensor[]): Promise<Decoded | null> {
  const content = (await exists(file)) ? unsealed(await readBytes(file, { most: mostAtOnce })) : null;
  if (!content) return null;
  const bytes = Buffer.from(content.buffer, content.byteOffset, content.byteLength);
  const end = 4 + (bytes.length < 4 ? 0 : bytes.readUInt32LE(0));
  const read = readAs(headerShape, bytes.toString("utf8", 4, end)); // a file with the right sum may still be somebody else's
  if ("wrong" in read) return null;
  const header = read.value;
  const size = tensors.reduce((sum, tensor) => sum + tensor.size * 4, 0);
  const same = header.shapes.length === tensors.length && tensors.every((t, i) => String(t.shape) === String(header.shapes[i]));
  if (!same || bytes.length !== end + size) return null;
  let at = end;
  const values = tensors.map(({ size: count }) => {
    const floats = new Float32Array(Uint8Array.from(bytes.subarray(at, at + 4 * count)).buffer);
    at += 4 * count;
    return floats;
  });
  return { header, values };
}

const weightsOf = (network: tfl.LayersModel): tf.Tensor[] => network.weights.map((weight) => weight.read());

function writeWeights(network: tfl.LayersModel, values: readonly Float32Array[]): void {
  network.weights.forEach((weight, i) => {
    tf.tidy(() => {
      weight.write(tf.tensor(values[i] ?? [], weight.read().shape));
    });
  });
}

/** Saves weights, optimiser and history after an epoch; what was there before stays if this fails. */
export async function saveCheckpoint(directory: string, network: tfl.LayersModel, optimizer: Optimizer, history: readonly EpochRecord[]) {
  const bytes = await encode({ version: 2, history, optimizerSteps: optimizer.steps }, [...weightsOf(network), ...optimizer.state]);
  await writeAtomic(path.join(directory, latest), bytes);
}

interface Training {
  readonly optimizer: Optimizer;
  /** The weights of the best epoch are kept as well. */
  readonly hasBest: boolean;
}

/**
 * Restores what the last finished epoch left, and gives the epochs until then; none where there is no checkpoint. "damaged" where one was made
 * that is not whole any more, with all that will be needed in the end: the network is then as it was.
 */
export async function loadCheckpoint(
  directory: string,
  network: tfl.LayersModel,
  { optimizer, hasBest }: Training,
): Promise<EpochRecord[] | "damaged"> {
  const file = path.join(directory, latest);
  if (!(await exists(file))) return [];
  const weights = weightsOf(network);
  const found = await decode(file, [...weights, ...optimizer.state]);
  if (!found || (hasBest && !(await decode(path.join(directory, best), weights)))) return "damaged";
  const { header, values } = found;
  writeWeights(network, values);
  optimizer.state.forEach((variable, i) => {
    tf.tidy(() => variable.assign(tf.tensor(values[weights.length + i] ?? [], variable.shape)));
  });
  optimizer.steps = header.optimizerSteps;
  return [...header.history];
}

/** Keeps the weights of the best epoch beside the checkpoint. */
export async function saveBest(directory: string, network: tfl.LayersModel): Promise<void> {
  await writeAtomic(path.join(directory, best), await encode({ version: 2, history: [], optimizerSteps: 0 }, weightsOf(network)));
}

/** @throws RUN_INVALID where they were lost while the training went on: it begins again when the run does */
export async function restoreBest(directory: string, network: tfl.LayersModel): Promise<void> {
  const found = await decode(path.join(directory, best), weightsOf(network));
  if (!found) throw new BulwarkError("RUN_INVALID", `${path.join(directory, best)} is damaged.`, "Resume the run to train it again.");

  writeWeights(network, found.values);
}
