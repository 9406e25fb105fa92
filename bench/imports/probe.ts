// `node bench/imports.mjs probe MODEL DATASET RANGE [8,32,64]`: the contract probe with so many pictures under every wrong contract: other ranges,
// normalisations and channel orders, stated in a contract file or in the maker's metadata; labels and outputs in another order; another layout.
// RANGE is what the model takes, such as "cifar10 rgb". Every range is computed once; then the probe judges each case by the passes
// that it would make. Exit code 1 where it decided wrongly.
import { useBackend } from "../../src/engine/backends/index.ts";
import { createContext } from "../../src/engine/context.ts";
import { givenNames } from "../../src/engine/evaluation/classMatch.ts";
import { openImages } from "../../src/engine/evaluation/source.ts";
import { type LoadedNetwork, loadNetwork } from "../../src/engine/importers/index.ts";
import { probeContract } from "../../src/engine/jobs/probeContract.ts";
import { firstNorm } from "../../src/engine/probe/batchNorm.ts";
import type { Candidate } from "../../src/engine/probe/candidates.ts";
import { candidatesOf } from "../../src/engine/probe/candidates.ts";
import type { Scored } from "../../src/engine/probe/decide.ts";
import { labelsAs } from "../../src/engine/probe/labels.ts";
import { judge, withInForce } from "../../src/engine/probe/probe.ts";
import { type Passes, passesOf, scored } from "../../src/engine/probe/score.ts";
import { classifierOfLoaded } from "../../src/engine/session/openModel.ts";
import type { InputContract, SourceKind } from "../../src/shared/contract.ts";
import { misread, relabelled, strangeInputs } from "./wrongContracts.ts";

const usual = [8, 32, 64];
type End = "right" | "open" | "refused" | "wrong";
const tally: Record<End, number> = { right: 0, open: 0, refused: 0, wrong: 0 };
const columns = new Map<string, Record<End, number>>();

function count(group: string, end: End, line: string): void {
  tally[end]++;
  const own = columns.get(group) ?? { right: 0, open: 0, refused: 0, wrong: 0 };
  own[end]++;
  columns.set(group, own);
  console.log(`${end.padEnd(7)} ${group.padEnd(9)} ${line}`);
}

interface Asked {
  readonly model: string;
  readonly dataset: string;
  readonly truth: string;
}
/** What all cases of one number of pictures share. */
interface Taken {
  readonly n: number;
  readonly truth: string;
  readonly loaded: LoadedNetwork;
  readonly names: readonly string[] | null;
  readonly side: number;
  readonly norm: Awaited<ReturnType<typeof firstNorm>>;
  /** Every range, those of wrong contracts among them. */
  readonly inputs: readonly Candidate[];
  readonly passes: Passes;
}

async function taken({ model, dataset, truth }: Asked, loaded: LoadedNetwork, n: number): Promise<Taken> {
  const main = classifierOfLoaded(loaded, model, undefined, { freeze: false });
  const channels = main.inputShape[2];
  const inputs = [...candidatesOf(channels), ...strangeInputs(channels)];
  const ctx = createContext({ seed: 1 });
  const asked = { files: [], dataset, split: "test", limit: n, workspace: "." } as const;
  const { images, classNames, close } = await openImages(asked, main, model, ctx);
  try {
    const models = inputs.map(({ input }) =>
      classifierOfLoaded({ ...loaded, contract: { ...loaded.contract, input: { ...loaded.contract.input, ...input } } }, model, undefined, {
        freeze: false,
      }),
    );
    const norm = await firstNorm(loaded.network);
    const passes = await passesOf(models, images, ctx, () => undefined, norm);
    return { n, truth, loaded, names: givenNames(classNames), side: Math.max(...main.inputShape.slice(0, 2)), norm, inputs, passes };
  } finally {
    await close();
  }
}

interface Case {
  readonly group: string;
  readonly declared: Candidate;
  readonly kind: SourceKind;
  /** Labels and scores as the probe gets them, and the outputs that the labels stand for. */
  readonly seen: { readonly what: string; readonly passes: Passes; readonly outputs: Int32Array };
}

/** Scores by logits, then by labels: temperatures take long to fit, and most cases share them. */
const known = new WeakMap<Float32Array, Map<string, Scored>>();
const remembered: typeof scored = (id, logits, labels, classes) => {
  const own = known.get(logits) ?? new Map<string, Scored>();
  known.set(logits, own);
  const key = labels.join();
  const found = own.get(key) ?? scored(id, logits, labels, classes);
  own.set(key, found);
  return { ...found, id };
};

function judged(all: Taken, { group, declared, kind, seen }: Case): void {
  const { loaded, names, norm, side, inputs, truth } = all;
  const candidates = withInForce(candidatesOf(declared.input.channels === "gray" ? 1 : 3), declared.input);
  const places = candidates.map(({ id }) => inputs.findIndex((one) => one.id === (id === "contract" ? declared.id : id)));
  const pick = <T>(list: readonly T[]): T[] => (list.length === 0 ? [] : places.map((place) => list[place] as T));
  const passes = { ...seen.passes, logits: pick(seen.passes.logits), met: pick(seen.passes.met) };
  const contract: InputContract = { ...loaded.contract, input: declared.input };
  const loadedAs = { contract, contractSource: { kind, text: "the grid" } };
  const found = judge(passes, { candidates, loaded: loadedAs, names, norm, side }, remembered);
  const [best] = found.verdict.compared;
  const line = `${String(all.n).padStart(2)} ${kind} ${declared.id}, ${seen.what}: ${best?.scored.id} ${best?.count} of ${best?.scored.hits.length}, labels ${found.read.reading}`;
  const isRange = found.verdict.compared.some(({ scored, sameAsBest }, i) => scored.id === truth && (i === 0 || sameAsBest));
  const read = labelsAs(passes.labels, found.read, { classes: passes.classes, names });
  const isLabels = read.every((output, i) => output === seen.outputs[i] || output < 0);
  count(group, !found.verdict.decided ? "open" : isRange && isLabels ? "right" : "wrong", line);
}

function grid(all: Taken): void {
  const { inputs, passes, truth, names } = all;
  const plain = { what: "labels as they are", passes, outputs: passes.labels };
  for (const declared of inputs)
    for (const kind of ["file", "metadata"] as const)
      judged(all, { group: kind === "file" ? "range" : "metadata", declared, kind, seen: plain });
  const [right, one, other] = [truth, "unit", "signed"].map((id) => inputs.find((input) => input.id.startsWith(id)) as Candidate);
  for (const declared of new Set([right, one, other] as Candidate[]))
    for (const seen of [...misread(passes, names).map((labels) => relabelled(passes, labels))])
      if (seen) judged(all, { group: "labels", declared, kind: "file", seen });
}

/** Contracts that say something else than ranges: the probe itself, from the file. */
async function whole({ model, dataset, truth }: Asked, input: InputContract["input"]): Promise<void> {
  const { layout = "nhwc" } = input;
  const declared: readonly (readonly [string, InputContract])[] = [
    [`layout ${layout === "nhwc" ? "nchw" : "nhwc"}`, { input: { ...input, layout: layout === "nhwc" ? "nchw" : "nhwc" } }],
    ["layout as it is", { input: { ...input, layout } }],
    ["labelOffset 1", { input, output: { labelOffset: 1 } }],
    ["mean and scale of pixels in 0…1", { input: { ...input, mean: 0.5, scale: 0.5 } }],
    ["gray for rgb, or the reverse", { input: { channels: input.channels === "gray" ? "rgb" : "gray" } }],
  ];
  const limit = 32;
  for (const [what, contract] of declared) {
    try {
      const params = { model, dataset, split: "test", limit, seed: 1, workspace: "." } as const;
      const found = await probeContract(params, { contract }, createContext());
      const isRight = found.candidates.some(({ id, sameAsBest }, i) => id === truth && (i === 0 || sameAsBest));
      const isLabels = found.labels === "identity" && contract.output?.labelOffset === undefined;
      const end = !found.decided ? "open" : isRight && isLabels ? "right" : "wrong";
      count("contract", end, `${String(limit).padStart(2)} ${what}: ${found.best}, labels ${found.labels}; ${found.cannotTell[0] ?? ""}`);
    } catch (error) {
      const { code, message } = error as Error & { code?: string };
      if (code === undefined) throw error;
      count("contract", "refused", `${String(limit).padStart(2)} ${what}: ${code} ${message}`);
    }
  }
}

async function main(): Promise<void> {
  await useBackend("onnxruntime");
  const [model = "", dataset = "", truth = "", counts] = process.argv.slice(2);
  const sizes = counts?.split(",").map(Number) ?? usual;
  const ranges = [...candidatesOf(3), ...candidatesOf(1)];
  const right = ranges.find(({ id }) => id === truth);
  if (!right) throw new Error(`There is no range "${truth}": ${ranges.map(({ id }) => id).join(", ")}`);
  const loaded = await loadNetwork(model, { input: { mean: 0, scale: 255 } });
  for (const n of sizes) grid(await taken({ model, dataset, truth }, loaded, n));
  await whole({ model, dataset, truth }, right.input);
  const told = ({ right, open, refused, wrong }: Record<End, number>): string =>
    `${right + open + refused + wrong} cases: ${right} right, ${open} cannot tell, ${refused} refused, ${wrong} wrong`;
  for (const [group, own] of columns) console.log(`${model}, ${group}: ${told(own)}`);
  console.log(`${model}: ${told(tally)}`);
  process.exit(tally.wrong > 0 ? 1 : 0); // readers of HDF5 keep their threads
}
void main();
