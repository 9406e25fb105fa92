import type { Params, TrainingPlan } from "../define/index.ts";
import { stackedPlan, trainingCost } from "../training/plan.ts";
import { analysisPiece } from "./analyse.ts";
import { isUndefended, type ResolvedArm } from "./arms.ts";
import { attackPiece } from "./attackArm.ts";
import type { RunData } from "./data.ts";
import type { RunMode } from "./environment.ts";
import { named } from "./named.ts";
import { isTrained, ownerOf, staticSources } from "./networks.ts";
import { preparePiece } from "./prepareArm.ts";
import type { Piece } from "./progress.ts";
import type { ResolvedAttack, ResolvedExperiment } from "./resolve.ts";
import { explainPiece } from "./runArm.ts";
import { trainingPiece } from "./trainArm.ts";
import { staticPiece } from "./transferArm.ts";

/** Forward and backward pass, in forward passes. */
const gradientCost = 3;

/** What a run consists of, for progress and time left. */
export function piecesOf(experiment: ResolvedExperiment, data: RunData, mode: RunMode): Piece[] {
  const sources = staticSources(experiment.arms, experiment.control);
  return [...experiment.arms, ...sources.unlisted].flatMap((arm) => {
    const plan = planOfArm(arm, data);
    const factor = plan.relativeCost;
    const source = sources.of(arm);
    const pieces: Piece[] = [];
    if (mode !== "evaluate" && isTrained(arm) && ownerOf(arm, experiment.arms) === arm)
      pieces.push({
        key: trainingPiece(arm),
        phase: `Training ${arm.name}`,
        arm: arm.name,
        cost: trainingCost(plan) * data.trainSize * arm.train.epochs,
      });
    if (mode === "train") return pieces;
    const all = { images: 0 };
    for (const attack of [...experiment.attacks.map((own) => ({ ...own, ...all })), ...experiment.further]) {
      const images = attack.images > 0 ? Math.min(data.test.n, attack.images) : data.test.n;
      const prepared = preparePiece(arm, attack, source === null);
      if (prepared) pieces.push({ ...prepared, arm: arm.name, attack: attack.key, cost: factor * gradientCost * prepared.cost });
      pieces.push(attackCost(arm, attack, images * factor));
      if (source && (!isUndefended(arm) || arm === sources.control)) pieces.push(transferCost(arm, attack, images * factor));
    }
    if (arm.index < 0) return pieces;
    if (experiment.analyses.length > 0)
      pieces.push({ key: analysisPiece(arm), phase: `Analysing ${arm.name}`, arm: arm.name, cost: factor * 2 * data.test.n });
    const explained = experiment.explanations.reduce((sum, { samples }) => sum + samples, 0) * experiment.attacks.length;
    pieces.push({ key: explainPiece(arm), phase: `Explaining ${arm.name}`, arm: arm.name, cost: factor * (60 + 4 * explained) });
    return pieces;
  });
}

function planOfArm(arm: ResolvedArm, { dataset, classes }: RunData): TrainingPlan {
  try {
    return stackedPlan(arm.training, { inputShape: dataset.inputShape, classes });
  } catch (thrown) {
    throw named(arm.name, thrown);
  }
}

function attackCost(arm: ResolvedArm, attack: ResolvedAttack, images: number): Piece {
  const { entry } = attack;
  const iterations = entry.preparation ? 1 : (entry.iterations?.(attack.params) ?? 1);
  const each = entry.access === "gradients" ? gradientCost : population(attack.params);
  return {
    key: attackPiece(arm, attack),
    phase: `Attacking ${arm.name} with ${entry.title}`,
    arm: arm.name,
    attack: attack.key,
    cost: images * (3 + iterations * each),
  };
}

const transferCost = (arm: ResolvedArm, attack: ResolvedAttack, images: number): Piece => ({
  key: staticPiece(arm, attack.key),
  phase: `Showing ${arm.name} the images made without its defence`,
  arm: arm.name,
  cost: 2 * images,
});

const population = (params: Params): number => (typeof params["popSize"] === "number" ? params["popSize"] : 1);
