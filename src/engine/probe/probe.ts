import { type InputContract, inputRangeText } from "../../shared/contract.ts";
import type { ContractProbe, ProbeCandidate, ProbeParams, ProbeUpdate } from "../../shared/probe.ts";
import type { Classifier } from "../classifier/classifier.ts";
import type { RunContext } from "../context.ts";
import type { EvaluationImages } from "../define/index.ts";
import { openImages } from "../evaluation/source.ts";
import type { LoadedNetwork } from "../importers/index.ts";
import { modelRules } from "../rules/index.ts";
import { findingsOf } from "../rules/rule.ts";
import { type Candidate, candidatesOf } from "./candidates.ts";
import { type Compared, chanceOf, decide, type Scored, type Verdict } from "./decide.ts";
import { filedEvidence, repeatedPasses, saturated } from "./evidence.ts";
import { bestReading, type ReadLabels } from "./labels.ts";
import { probeFit } from "./resize.ts";
import { passesOf, stepsOf } from "./score.ts";

type Input = InputContract["input"];

/** A network that is open, and how to look at it with another contract. */
export interface Probed {
  readonly loaded: LoadedNetwork;
  readonly params: ProbeParams;
  withInput(input: Input): Classifier;
}

/** Images under all candidates pass by pass; fewer repeat what `decide` needs. */
const repeatedImages = 8;

/**
 * Which range, channel order, fit and reading of labels are right for a model, from labelled images: every candidate classifies all of them,
 * and one is decided for only where exact tests set it apart from every other (importers' design, section 12). What it cannot tell, it
 * says. Nothing is written. @throws what opening the images throws, CANCELLED
 */
export async function probe(
  probed: Probed,
  ctx: RunContext,
  update: (update: ProbeUpdate) => void,
): Promise<Omit<ContractProbe, "written">> {
  const { loaded, params } = probed;
  const inForce = loaded.contract.input;
  const first = probed.withInput(inForce);
  const candidates = withInForce(candidatesOf(first.inputShape[2]), inForce);
  const { images, close } = await openImages({ ...params, files: [] }, first, params.model, ctx);
  try {
    const total = stepsOf(images).length * candidates.length;
    let done = 0;
    const models = candidates.map(({ input }) => probed.withInput({ ...inForce, ...input }));
    const passes = await passesOf(models, images, ctx, () => update({ done: ++done, total }));
    const read = bestReading(
      candidates.map(({ id }) => id),
      passes,
      loaded.contract.output?.labelOffset !== undefined,
    );
    const stage: Stage = { candidates, read, verdict: checked(decide(read.scored, read.labels), candidates, loaded) };
    const best = candidates.find(({ id }) => id === stage.verdict.compared[0]?.scored.id);
    const fit = stage.verdict.decided && best ? await probeFit(probed, { ...inForce, ...best.input }, read.reading, ctx) : null;
    const head = await images.read(0, Math.min(repeatedImages, images.n));
    const measured = await repeatedPasses(first, head.images, head.n);
    return {
      ...described(probed, stage, images),
      ...outcome(probed, stage, best, fit?.input ?? {}, measured),
      cannotTell: [...stage.verdict.cannotTell, ...(fit?.cannotTell ?? [])],
    };
  } finally {
    await close();
  }
}

interface Stage {
  readonly candidates: readonly Candidate[];
  readonly read: ReadLabels;
  readonly verdict: Verdict;
}

const same = (a: Input, b: Input): boolean =>
  inputRangeText(a) === inputRangeText(b) && (a.channels ?? "rgb").replace("gray", "rgb") === (b.channels ?? "rgb").replace("gray", "rgb");

/** The contract in force stands first, so that it is kept where these images cannot tell it from another. */
function withInForce(candidates: readonly Candidate[], { mean = 0, scale = 255, channels }: Input): Candidate[] {
  const stated = { mean, scale, channels: channels ?? candidates[0]?.input.channels };
  const input = { mean, scale, ...(stated.channels ? { channels: stated.channels } : {}) };
  const known = candidates.find((one) => same(one.input, input));
  return [known ?? { id: "contract", input }, ...candidates.filter((one) => one !== known)];
}

/** What the file is certain of is never overruled: where the images say otherwise, neither is believed. */
function checked(verdict: Verdict, candidates: readonly Candidate[], { contract, contractSource }: LoadedNetwork): Verdict {
  const best = candidates.find(({ id }) => id === verdict.compared[0]?.scored.id);
  if (!verdict.decided || !best || contractSource.kind !== "layer") return verdict;
  const [filed, found] = [inputRangeText(contract.input), inputRangeText(best.input)];
  if (filed === found) return verdict;
  return { ...verdict, decided: false, cannotTell: [`The file says ${filed} (${contractSource.text}), the images say ${found}.`] };
}

function described({ params }: Probed, { candidates, read, verdict }: Stage, images: EvaluationImages) {
  const { model, dataset, split } = params;
  const inputs = new Map(candidates.map(({ id, input }) => [id, input]));
  const shown = verdict.compared.map((one) => candidateOf(one, inputs.get(one.scored.id) ?? {}, images.n));
  const [best] = shown;
  return {
    model,
    dataset,
    split,
    n: images.n,
    chance: chanceOf(read.labels),
    decided: verdict.decided,
    best: best ? `${best.id} (${best.range})` : null,
    candidates: shown,
    labels: read.reading,
  };
}

const candidateOf = ({ scored, count, interval, meanLogP, p, sameAsBest }: Compared, input: Input, n: number): ProbeCandidate => ({
  id: scored.id,
  input,
  range: inputRangeText(input),
  hits: count,
  n,
  interval,
  meanLogP,
  p,
  sameAsBest,
});

function outcome(
  { loaded }: Probed,
  { candidates, read, verdict }: Stage,
  best: Candidate | undefined,
  fit: Input,
  measured: Awaited<ReturnType<typeof repeatedPasses>>,
) {
  const [inForce] = candidates;
  const current = read.scored.find(({ id }) => id === inForce?.id);
  const [top] = verdict.compared;
  const betterRange =
    verdict.decided && top && current && best !== inForce && !sameAs(verdict, current) ? rangeWords(top, current, verdict) : null;
  const probedEvidence = { betterRange, betterLabels: read.better };
  const saturation = current ? saturated(current, read.labels) : null;
  return {
    contract: verdict.decided && best ? contractOf(loaded.contract, best, fit, read) : null,
    evidence: [...filedEvidence(loaded), ...(saturation ? [saturation] : [])],
    findings: findingsOf(modelRules, { ...loaded.evidence, measured, probed: probedEvidence }, {}),
  };
}

const sameAs = (verdict: Verdict, { id }: Scored): boolean =>
  verdict.compared.some(({ scored, sameAsBest }) => scored.id === id && sameAsBest);

function rangeWords(top: Compared, current: Scored, { compared }: Verdict): string {
  const now = compared.find(({ scored }) => scored.id === current.id)?.count ?? 0;
  return `with ${top.scored.id} it is right on ${top.count} of ${top.scored.hits.length} images, now on ${now}`;
}

/** The contract in force with what was decided; a background class becomes its label offset. */
function contractOf(contract: InputContract, { input }: Candidate, fit: Input, { reading }: ReadLabels): InputContract {
  const output = reading === "plusOne" ? { ...contract.output, labelOffset: 1 } : contract.output;
  return { ...contract, input: { ...contract.input, ...input, ...fit }, ...(output ? { output } : {}) };
}
