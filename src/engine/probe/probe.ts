import { type InputContract, inputRangeText } from "../../shared/contract.ts";
import type { ContractProbe, ProbeParams, ProbeUpdate } from "../../shared/probe.ts";
import type { Classifier } from "../classifier/classifier.ts";
import type { RunContext } from "../context.ts";
import type { EvaluationImages } from "../define/index.ts";
import { givenNames } from "../evaluation/classMatch.ts";
import { openImages } from "../evaluation/source.ts";
import type { LoadedNetwork } from "../importers/index.ts";
import { contradicted, distance, type FirstNorm, firstNorm } from "./batchNorm.ts";
import { areNear, type Candidate, candidatesOf, isRare } from "./candidates.ts";
import { decide, type Known, type Verdict } from "./decide.ts";
import { outputsOf, repeatedPasses } from "./evidence.ts";
import { bestReading, type ReadLabels } from "./labels.ts";
import { outcomeOf, type Stage } from "./outcome.ts";
import { probeFit } from "./resize.ts";
import { type Passes, passesOf, scored, stepsOf } from "./score.ts";

type Input = InputContract["input"];

/** A network that is open, and how to look at it with another contract. */
export interface Probed {
  readonly loaded: LoadedNetwork;
  readonly params: ProbeParams;
  withInput(input: Input): Classifier;
}

/** Images that are passed twice, and one by one. */
const repeatedImages = 8;

/**
 * Which range, channel order, fit and reading of labels are right for a model, from labelled images: every candidate classifies all of them,
 * and one is decided for only where exact tests, or what the network and its maker say, set it apart from every other. What it cannot tell,
 * it says. Nothing is written. @throws what opening the images throws, CANCELLED
 */
export async function probe(
  probed: Probed,
  ctx: RunContext,
  update: (update: ProbeUpdate) => void,
): Promise<Omit<ContractProbe, "written">> {
  const { loaded, params } = probed;
  const first = probed.withInput(loaded.contract.input);
  const { images, classNames, notes, close } = await openImages({ ...params, files: [] }, first, params.model, ctx);
  try {
    const { stage, cannotTell } = await stageOf(probed, { first, images, classNames }, ctx, update);
    const { model, dataset, split } = params;
    return { model, dataset, split, ...outcomeOf(loaded, stage), notes, cannotTell };
  } finally {
    await close();
  }
}

interface Opened {
  readonly first: Classifier;
  readonly images: EvaluationImages;
  readonly classNames: readonly string[];
}

async function stageOf(
  probed: Probed,
  { first, images, classNames }: Opened,
  ctx: RunContext,
  update: (update: ProbeUpdate) => void,
): Promise<{ readonly stage: Stage; readonly cannotTell: readonly string[] }> {
  const { loaded } = probed;
  const inForce = loaded.contract.input;
  const candidates = withInForce(candidatesOf(first.inputShape[2]), inForce);
  const total = stepsOf(images).length * candidates.length;
  let done = 0;
  const models = candidates.map(({ input }) => probed.withInput({ ...inForce, ...input }));
  const norm = await firstNorm(loaded.network);
  const passes = await passesOf(models, images, ctx, () => update({ done: ++done, total }), norm);
  const names = givenNames(classNames);
  const { distances, read, verdict } = judge(passes, { candidates, loaded, names, norm, side: Math.max(...first.inputShape.slice(0, 2)) });
  const best = candidates.find(({ id }) => id === verdict.compared[0]?.scored.id);
  const fit = verdict.decided && best ? await probeFit(probed, { ...inForce, ...best.input }, read, ctx) : null;
  const head = await images.read(0, Math.min(repeatedImages, images.n));
  const measured = await repeatedPasses(first, head.images, head.n);
  const outputs = await outputsOf(loaded, first, head.images, head.n);
  const stage = { candidates, read, names, verdict, distances, fit: fit?.input ?? {}, outputs, measured };
  return { stage, cannotTell: [...verdict.cannotTell, ...hints(verdict, read), ...(fit?.cannotTell ?? [])] };
}

interface Judged {
  readonly read: ReadLabels;
  readonly distances: ReadonlyMap<string, number>;
  readonly verdict: Verdict;
}

/**
 * What the passes of all candidates over labelled images say.
 * @param o `side`: the longer one of the images, in pixels
 * @param score what scores one candidate, for callers that judge the same passes many times
 */
export function judge(
  passes: Passes,
  o: {
    readonly candidates: readonly Candidate[];
    readonly loaded: Pick<LoadedNetwork, "contract" | "contractSource">;
    readonly names: readonly string[] | null;
    readonly norm: FirstNorm | null;
    readonly side: number;
  },
  score = scored,
): Judged {
  const { candidates, loaded, names, norm, side } = o;
  const distances = new Map(norm ? passes.met.map((sums, i) => [candidates[i]?.id ?? "", distance(norm, sums)]) : []);
  const read = bestReading(passes, names, loaded.contract.output?.labelOffset !== undefined);
  const known = knownOf(candidates, loaded, contradicted(distances), side);
  return { read, distances, verdict: checked(verdictOf(candidates, read.passes, known, score), candidates, loaded) };
}

const verdictOf = (candidates: readonly Candidate[], { logits, labels, classes }: Passes, known: Known, score: typeof scored): Verdict =>
  decide(
    candidates.map(({ id }, i) => score(id, logits[i] as Float32Array, labels, classes)),
    labels,
    known,
  );

/** Sets of this many classes have another order in use that no reading can guess. */
const imageNetClasses = 1000;

/** What else may be the cause where no range works. */
function hints({ cannotTell }: Verdict, { passes }: ReadLabels): string[] {
  if (passes.classes !== imageNetClasses || !cannotTell.some((reason) => reason.startsWith("No range"))) return [];
  return [
    "ImageNet's development kit numbers the classes in another order than models do: name the classes of the data by their WordNet ids, so that they are matched by these.",
  ];
}

const same = (a: Input, b: Input): boolean =>
  inputRangeText(a) === inputRangeText(b) && (a.channels ?? "rgb").replace("gray", "rgb") === (b.channels ?? "rgb").replace("gray", "rgb");

/** The contract in force stands first. */
export function withInForce(candidates: readonly Candidate[], { mean = 0, scale = 255, channels }: Input): Candidate[] {
  const stated = { mean, scale, channels: channels ?? candidates[0]?.input.channels };
  const input = { mean, scale, ...(stated.channels ? { channels: stated.channels } : {}) };
  const known = candidates.find((one) => same(one.input, input));
  return [known ?? { id: "contract", input }, ...candidates.filter((one) => one !== known)];
}

/** What a file, a layer or a known name says is what the contract in force holds; one that a person stated has to be shown like any other. */
function knownOf(
  candidates: readonly Candidate[],
  { contractSource: { kind } }: Pick<LoadedNetwork, "contractSource">,
  contradicted: ReadonlySet<string>,
  side: number,
): Known {
  const inputs = new Map(candidates.map(({ id, input }) => [id, input]));
  const [inForce] = candidates;
  const isStated = kind === "file" || kind === "given";
  return {
    contradicted,
    named: inForce && ["metadata", "layer", "known"].includes(kind) ? { id: inForce.id, isCertain: kind === "layer" } : null,
    areNear: (a, b) => areNear(inputs.get(a) ?? {}, inputs.get(b) ?? {}),
    isRare: (id) => isRare(id, side) && !(isStated && id === inForce?.id),
  };
}

/** What the file is certain of is never overruled: where the images say otherwise, neither is believed. */
function checked(
  verdict: Verdict,
  candidates: readonly Candidate[],
  { contract, contractSource }: Pick<LoadedNetwork, "contract" | "contractSource">,
): Verdict {
  const best = candidates.find(({ id }) => id === verdict.compared[0]?.scored.id);
  if (!verdict.decided || !best || contractSource.kind !== "layer") return verdict;
  const [filed, found] = [inputRangeText(contract.input), inputRangeText(best.input)];
  if (filed === found) return verdict;
  return { ...verdict, decided: false, cannotTell: [`The file says ${filed} (${contractSource.text}), the images say ${found}.`] };
}
