import { type InputContract, inputRangeText } from "../../shared/contract.ts";
import type { ContractProbe, ProbeCandidate } from "../../shared/probe.ts";
import type { LoadedNetwork } from "../importers/index.ts";
import type { ModelEvidence } from "../rules/evidence.ts";
import { modelRules } from "../rules/index.ts";
import { findingsOf } from "../rules/rule.ts";
import type { Candidate } from "./candidates.ts";
import { type Compared, chanceOf, type Verdict } from "./decide.ts";
import { filedEvidence, normEvidence, type Outputs, saturated } from "./evidence.ts";
import { namesInOrder, type ReadLabels } from "./labels.ts";

type Input = InputContract["input"];

/** All that a probe found out. */
export interface Stage {
  /** The contract in force first. */
  readonly candidates: readonly Candidate[];
  readonly read: ReadLabels;
  /** Names of the data's classes; null where they are only numbers. */
  readonly names: readonly string[] | null;
  readonly verdict: Verdict;
  /** Of each candidate to what the first batch normalisation stores; empty where there is none. */
  readonly distances: ReadonlyMap<string, number>;
  /** How pictures are to be fitted, where that was found. */
  readonly fit: Input;
  readonly outputs: Outputs;
  readonly measured: NonNullable<ModelEvidence["measured"]>;
}

type Outcome = Pick<ContractProbe, "n" | "chance" | "decided" | "best" | "candidates" | "labels" | "contract" | "evidence" | "findings">;

export function outcomeOf(loaded: LoadedNetwork, stage: Stage): Outcome {
  const { candidates, read, verdict, distances, outputs, measured } = stage;
  const { labels } = read.passes;
  const inputs = new Map(candidates.map(({ id, input }) => [id, input]));
  const shown = verdict.compared.map((one) => candidateOf(one, inputs.get(one.scored.id) ?? {}, distances));
  const [best] = shown;
  const [top] = verdict.compared;
  const inForce = verdict.compared.find(({ scored }) => scored.id === candidates[0]?.id);
  const isWorse = inForce?.standing === "beaten" || inForce?.standing === "contradicted";
  const betterRange = verdict.decided && top && inForce && isWorse ? rangeWords(top, inForce) : null;
  const saturation = inForce && saturated(inForce.scored, labels);
  return {
    n: labels.length,
    chance: chanceOf(labels),
    decided: verdict.decided,
    best: best ? `${best.id} (${best.range})` : null,
    candidates: shown,
    labels: read.reading,
    contract: verdict.decided && best ? contractOf(loaded.contract, inputs.get(best.id) ?? {}, stage) : null,
    evidence: [
      ...filedEvidence(loaded),
      ...normEvidence(distances),
      ...(outputs.text ? [{ strength: "certain" as const, text: outputs.text }] : []),
      ...(saturation ? [saturation] : []),
    ],
    findings: findingsOf(modelRules, { ...loaded.evidence, measured, probed: { betterRange, betterLabels: read.better } }, {}),
  };
}

const candidateOf = (
  { scored, count, interval, meanLogP, meanCalibrated, p, standing, sameAsBest }: Compared,
  input: Input,
  distances: ReadonlyMap<string, number>,
): ProbeCandidate => ({
  id: scored.id,
  input,
  range: inputRangeText(input),
  hits: count,
  n: scored.hits.length,
  interval,
  meanLogP,
  calibratedLogP: meanCalibrated,
  temperature: scored.calibrated.temperature,
  batchNormDistance: distances.get(scored.id) ?? null,
  p,
  standing,
  sameAsBest,
});

const rangeWords = (top: Compared, inForce: Compared): string =>
  `with ${top.scored.id} it is right on ${top.count} of ${top.scored.hits.length} images, now on ${inForce.count}`;

/** The contract in force with what was decided: a background class becomes its label offset, an order of the classes their names. */
function contractOf(contract: InputContract, input: Input, { fit, read, names, outputs }: Stage): InputContract {
  const classes = namesInOrder(read, names, read.passes.classes);
  const output = {
    ...contract.output,
    ...(read.reading === "plusOne" ? { labelOffset: 1 } : {}),
    ...(classes ? { classes } : {}),
    ...(outputs.kind && contract.output?.kind === undefined ? { kind: outputs.kind } : {}),
  };
  return { ...contract, input: { ...contract.input, ...input, ...fit }, ...(Object.keys(output).length > 0 ? { output } : {}) };
}
