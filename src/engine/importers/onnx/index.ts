import { createHash } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import type { InputContract } from "../../../shared/contract.ts";
import { openFileSync, sha256 } from "../../io/files.ts";
import { tf } from "../../tf.ts";
import { builtFrom } from "../build.ts";
import type { Compare, Comparison, ModelFile } from "../modelFile.ts";
import { fittedScores, type Normalised, withoutLayout } from "../topology/index.ts";
import { checkAttributes } from "./attributes.ts";
import { withoutBranches } from "./branches.ts";
import { checkImport } from "./check.ts";
import { ByteFile } from "./file/bytes.ts";
import { ExternalFiles } from "./file/external.ts";
import { Limits } from "./file/limits.ts";
import { type FileModel, modelOf } from "./file/model.ts";
import { messageOf } from "./file/wire.ts";
import { openForwardOnly, type RuntimeModel } from "./forwardOnly.ts";
import { newerOpset, type OpGraph, opGraphOf, type ReadGraph } from "./graph.ts";
import { type ImageInput, imageInputOf } from "./input.ts";
import { type Lowered, loweredTo } from "./lowered.ts";
import { UnsupportedModel, unsupportedModel } from "./problems.ts";
import { setWeights } from "./weights.ts";

/**
 * Opens an ONNX file. Weights are read only when the network is built.
 * @throws MODEL_INVALID, MODEL_UNSUPPORTED, MODEL_INPUT, MODEL_TOO_LARGE, MODEL_UNSAFE, FILE_UNREADABLE
 */
export async function openOnnx(file: string): Promise<ModelFile> {
  const bytes = new ByteFile(file, openFileSync(file));
  const externals = new ExternalFiles(file);
  const close = (): void => {
    bytes.close();
    externals.close();
  };
  try {
    const model = modelOf(messageOf(bytes), { externals, limits: new Limits(file) });
    return modelFile(file, model, externals, close);
  } catch (error) {
    close();
    throw error;
  }
}

/** Results of comparisons that passed, as a run may open its model many times. */
const checked = new Map<string, Comparison>();

/** A comparison, or its result where it has passed before. */
async function once(key: string, check: () => Promise<Compare>): Promise<Compare> {
  const before = checked.get(key);
  if (before) return async () => before;
  const compare = await check();
  return async (network) => {
    const found = await compare(network);
    checked.set(key, found);
    return found;
  };
}

/** Other than for operator sets that are known, the scores have to be compared. @throws MODEL_UNSUPPORTED, from the comparison */
const required =
  (compare: Compare, file: string, version: number): Compare =>
  async (network) => {
    const found = await compare(network);
    if (found.difference === null) throw newerOpset(file, version, found.notes.join("; "));
    return found;
  };

const isOfHalves = ({ initializers }: OpGraph): boolean => [...initializers.values()].some(({ type }) => type === 10 || type === 16);

/** What decides how closely its scores have to agree. */
const factsOf = (graph: OpGraph) => ({
  input: graph.input.name,
  output: graph.output,
  isHalf: isOfHalves(graph),
  isQuantised: graph.nodes.some(({ op }) => op === "QuantizeLinear"),
});

/** What was read of a file. */
interface Read {
  readonly graph: ReadGraph;
  readonly image: ImageInput;
  /** Layers, or the file itself where it gives scores only. */
  readonly network: { readonly lowered: Lowered } | { readonly runtime: RuntimeModel };
}

/** Layers where that is possible. Otherwise, or where the contract says so, ONNX Runtime gives scores. */
function networkOf(graph: OpGraph, image: ImageInput, isForwardOnly: boolean): Read["network"] {
  const name = path.basename(graph.file, path.extname(graph.file));
  const runtime = (cause: UnsupportedModel, reason?: string): Read["network"] => ({
    runtime: openForwardOnly(graph, image, { cause, reason: reason ?? `its file ${cause.what}`, name }),
  });
  if (isForwardOnly) {
    const [reason, fix] = ['its input contract says "forwardOnly"', 'Remove "forwardOnly" from its input contract.'];
    return runtime(unsupportedModel(graph.file, "is to be run by ONNX Runtime", fix), reason);
  }
  checkAttributes(graph);
  try {
    return { lowered: loweredTo(graph, image, name) };
  } catch (error) {
    if (error instanceof UnsupportedModel) return runtime(error);
    throw error;
  }
}

/** Files of this many bytes or more are opened without their weights first. */
const largeFile = 64 << 20;

function modelFile(file: string, model: FileModel, externals: ExternalFiles, closeFiles: () => void): ModelFile {
  const isLarge = [file, ...externals.files].reduce((sum, one) => sum + fs.statSync(one).size, 0) >= largeFile;
  let known: Read | undefined;
  const normalised = (): Read => {
    if (!known) throw new Error("the model was not normalised");
    return known;
  };
  const closeRuntime = (): void => {
    if (known && "runtime" in known.network) known.network.runtime.close();
    known = undefined;
  };
  let hashing: Promise<string> | undefined;
  const hash = (): Promise<string> => {
    hashing ??= hashOf([file, ...externals.files]);
    return hashing;
  };
  return {
    format: "onnx",
    metadata: metadataOf(model),
    sha256: hash,
    close: () => {
      closeRuntime();
      closeFiles();
    },
    normalise: (contract, size) => {
      closeRuntime();
      const graph = opGraphOf(model, file, contract.output?.name);
      const image = imageInputOf(graph, contract, size);
      const network = networkOf(withoutBranches(graph, image), image, contract.forwardOnly === true);
      known = { graph, image, network };
      if ("runtime" in network) return forwardOnlyOf(network.runtime, graph, { contract, file, size });
      const { lowered } = network;
      const fitted = fittedScores(lowered.topology, withoutLayout(contract), { file, size });
      const half = isOfHalves(graph) ? ["its 16-bit weights are used with 32 bits"] : [];
      return { ...fitted, notes: [...graph.notes, ...half, ...lowered.notes, ...fitted.notes] };
    },
    evidence: () =>
      normalised().image.isBytes
        ? { source: { kind: "layer", text: "the type of its input, uint8" }, input: { mean: 0, scale: 1 } }
        : undefined,
    build: (topology, reading) => {
      const { network: known } = normalised();
      return builtFrom(topology, "runtime" in known ? 0 : known.lowered.plan.numbers, file, (network) =>
        "runtime" in known ? known.runtime.attach(network) : setWeights(network, known.lowered.plan, file, reading),
      );
    },
    isLarge,
    check: async (o, watch) => {
      const { graph, image, network: known } = normalised();
      if ("runtime" in known) return async () => ({ difference: null, notes: [] });
      const isWhole = externals.files.length === 0;
      const facts = { ...o, file, lowered: known.lowered, image, isWhole, isLarge, ...factsOf(graph) };
      const key = JSON.stringify([await hash(), tf.getBackend(), o.contract.input, o.ending.removed, graph.output]);
      const compare = await once(key, () => checkImport(facts, watch));
      return graph.newer === undefined ? compare : required(compare, file, graph.newer);
    },
  };
}

/** The file itself as a network of one layer, which takes what the contract says. */
function forwardOnlyOf(
  { topology, ending, forwardOnly }: RuntimeModel,
  { notes }: ReadGraph,
  { contract, file, size }: { contract: InputContract; file: string; size: readonly [number, number] | undefined },
): Normalised {
  const fitted = fittedScores(topology, withoutLayout(contract), { file, size });
  const layer = topology.outputs[0]?.layer ?? "";
  return { ...fitted, ending: { ...fitted.ending, ...ending, layer }, forwardOnly, notes: [...notes, ...fitted.notes] };
}

/** The file's metadata, with JSON lists and objects parsed. */
function metadataOf({ metadata }: FileModel): Record<string, unknown> {
  return Object.fromEntries([...metadata].map(([key, text]) => [key, parsed(text)]));
}

function parsed(text: string): unknown {
  if (!/^\s*[[{]/.test(text)) return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** SHA-256 of one file; for several, the SHA-256 of their hashes. */
async function hashOf(files: readonly string[]): Promise<string> {
  const hashes = await Promise.all(files.map((file) => sha256(file)));
  const [only, ...others] = hashes;
  return others.length === 0 ? (only as string) : createHash("sha256").update(hashes.join()).digest("hex");
}
