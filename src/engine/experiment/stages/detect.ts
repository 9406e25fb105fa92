import { thresholdAt } from "../../../shared/detectorThreshold.ts";
import type { DetectedAttack, DetectorResult, Finding } from "../../../shared/results.ts";
import { armDetectorFile } from "../../../shared/runs.ts";
import type { DetectorUnit } from "../../../shared/sampledUnits.ts";
import { unitsTogether } from "../../../shared/sampledUnits.ts";
import { scoresNotNumbers } from "../../classifier/probabilities.ts";
import { attackSurface } from "../../classifier/surface.ts";
import { detectorPasses, documented, type EvaluationImages, labelOf } from "../../define/index.ts";
import type { Range } from "../../evaluation/batches.ts";
import { areaOf, type Detected, detectImages, separation } from "../../evaluation/detect.ts";
import { attackBatches } from "../../evaluation/evaluate.ts";
import { partOfBatch } from "../../harness/halving.ts";
import { writeAtomic } from "../../io/files.ts";
import { writeNpz } from "../../io/npz.ts";
import { share } from "../../metrics/robustness.ts";
import { thresholdStops } from "../../metrics/thresholds.ts";
import { detectorRules } from "../../rules/index.ts";
import { findingsOf } from "../../rules/rule.ts";
import type { ResolvedArm } from "../arms.ts";
import { attackCost, memoryOf, passCost } from "../costs.ts";
import type { RunEnvironment } from "../environment.ts";
import { networkKey } from "../networks.ts";
import { type Piece, type PlanFacts, type Stage, shardKey } from "../piece.ts";
import type { ResolvedAttack, ResolvedDetector } from "../resolve.ts";
import { storedLabels } from "../runPieces.ts";
import { shardsOf } from "../shards.ts";
import { adversarialOf, attackShards, needsAttack } from "./attack.ts";
import { cleanAnswers, cleanPredictions, needsClean } from "./clean.ts";
import { needsImages } from "./images.ts";
import { runsOn } from "./knowledge.ts";
import { needsNetwork } from "./train.ts";
import { alsoTested, validationImages, validationOf } from "./validation.ts";

// Detectors are scored on the clean images and on those of every attack. An attack that does not know the detector is `static`, one that has
// to keep the detector's surrogate small as well is `adaptive`. Thresholds are taken on validation images, never on test images.

const [scoresFile, unitsFile, thresholdFile, resultFile] = ["scores.npz", "units.json", "threshold.json", "detector.json"];
const evasionWeight = 1;
/** Points of a drawn curve along either side. */
const curveSteps = 100;

type Place = readonly [arm: ResolvedArm, detector: ResolvedDetector];
const nameOf = ([arm, { key }]: Place): string => `${arm.name}:${key}`;
const thresholdKey = (place: Place): string => `threshold:${nameOf(place)}`;
const cleanGroup = (place: Place): string => `detect:${nameOf(place)}:clean`;
const attackGroup = (place: Place, attack: ResolvedAttack, isAdaptive: boolean): string =>
  `detect:${nameOf(place)}:${attack.key}:${isAdaptive ? "adaptive" : "static"}`;
const resultKey = (place: Place): string => `detected:${nameOf(place)}`;

/** Scoring one image. */
const scoreCost = ([arm, detector]: Place, facts: PlanFacts): number => passCost(arm, facts) * detectorPasses(detector).score;

const cleanShards = (place: Place, facts: PlanFacts): Range[] => shardsOf(facts.n, facts.inputShape, scoreCost(place, facts));

/** An attack can be made to evade the detector: both offer a gradient, and the attack makes each image anew, with a loss that another can join. */
const canEvade = (attack: ResolvedAttack, { entry }: ResolvedDetector): boolean =>
  entry.surrogate !== undefined && attack.entry.access === "gradients" && attack.entry.preparation === undefined && !attack.entry.minimizes;

/** The experiment's attacks that are made on this arm. */
const attacksOn = (arm: ResolvedArm, facts: PlanFacts): readonly ResolvedAttack[] =>
  facts.experiment.attacks.filter((attack) => runsOn(arm, attack, facts));

export const detectStage: Stage = {
  kind: "detect",
  pieces(arm, facts) {
    const { experiment, mode } = facts;
    if (arm.index < 0 || mode === "train") return [];
    return experiment.detectors.flatMap((detector) => {
      const place: Place = [arm, detector];
      const shards = cleanShards(place, facts).map((range) => cleanPiece(place, range, facts));
      const attacked = attacksOn(arm, facts).flatMap((attack) =>
        attackShards(attack, facts).flatMap((range) => [
          staticPiece(place, attack, range, facts),
          ...(canEvade(attack, detector) ? [adaptivePiece(place, attack, range, facts)] : []),
        ]),
      );
      const scored = [thresholdPiece(place, facts), ...shards, ...attacked];
      return [...scored, resultPiece(place, scored, facts)];
    });
  },
};

/** What all pieces of a detector on an arm have in common. */
const common = ([arm, { entry }]: Place, facts: PlanFacts) => ({
  phase: `Scoring ${entry.title} on ${arm.name}`,
  arm: arm.name,
  network: networkKey(arm),
  memory: memoryOf(facts.inputShape, 100),
  device: "evaluate" as const,
});

function thresholdPiece(place: Place, facts: PlanFacts): Piece {
  const [arm] = place;
  return {
    ...common(place, facts),
    key: thresholdKey(place),
    stage: "threshold",
    needs: [...needsNetwork(arm, facts), ...needsImages([0, facts.n], facts)],
    cost: scoreCost(place, facts) * validationImages(facts),
    async run(env, folder) {
      const images = validationOf(arm, env);
      const chosen = images ? await thresholdOn(place, images, env) : { threshold: null, n: 0, shared: 0 };
      await writeAtomic(folder.file(thresholdFile), JSON.stringify(chosen));
    },
  };
}

interface ChosenThreshold {
  readonly threshold: number | null;
  /** Images that it was chosen on, and those left out as they are test images too. */
  readonly n: number;
  readonly shared: number;
}

/** By the validation images that the arm classifies correctly, as alarms are counted in the test: no test image is among them. */
async function thresholdOn(place: Place, images: EvaluationImages, env: RunEnvironment): Promise<ChosenThreshold> {
  const { scores, labels, predictions } = await detected(place, images, [0, images.n], env);
  const isShared = await alsoTested(images, env);
  const clean = scores.filter((_, i) => labels[i] === predictions[i] && !isShared[i]);
  const threshold = thresholdAt(clean, place[1].falsePositiveRate);
  return { threshold, n: clean.length, shared: isShared.filter(Boolean).length };
}

async function detected([arm, detector]: Place, images: EvaluationImages, range: Range, env: RunEnvironment): Promise<Detected> {
  const { classifier: model } = await env.networks.open(arm);
  const onProgress = (done: number, total: number): void => env.meter.report(done, total);
  const found = await detectImages({ detector, model, images, onProgress }, env.ctx, range);
  if (!found.scores.every(Number.isFinite)) throw scoresNotNumbers();
  return found;
}

const writeScores = (file: string, { scores, predictions }: Pick<Detected, "scores" | "predictions">): Promise<void> =>
  writeNpz(file, { score: { data: scores, shape: [scores.length] }, prediction: { data: predictions, shape: [scores.length] } });

function cleanPiece(place: Place, range: Range, facts: PlanFacts): Piece {
  const [arm] = place;
  return {
    ...common(place, facts),
    key: shardKey(cleanGroup(place), range),
    stage: "detect",
    needs: [...needsNetwork(arm, facts), ...needsImages(range, facts)],
    cost: scoreCost(place, facts) * (range[1] - range[0]),
    images: range,
    of: facts.n,
    async run(env, folder) {
      const found = await detected(place, env.images, range, env);
      await writeScores(folder.file(scoresFile), found);
      await writeAtomic(folder.file(unitsFile), JSON.stringify(found.units));
    },
  };
}

/** Scores of the images that an attack left which does not know the detector. */
function staticPiece(place: Place, attack: ResolvedAttack, range: Range, facts: PlanFacts): Piece {
  const [arm] = place;
  return {
    ...common(place, facts),
    key: shardKey(attackGroup(place, attack, false), range),
    stage: "detect",
    attack: attack.key,
    needs: [...needsNetwork(arm, facts), ...needsImages(range, facts), needsAttack(arm, attack, range)],
    cost: scoreCost(place, facts) * (range[1] - range[0]),
    images: range,
    of: facts.n,
    async run(env, folder) {
      const adversarial = adversarialOf(arm, attack, env);
      const images: EvaluationImages = {
        ...env.images,
        read: async (start, end) => ({ ...(await env.images.read(start, end)), images: await adversarial(start, end) }),
      };
      await writeScores(folder.file(scoresFile), await detected(place, images, range, env));
    },
  };
}

/** The attack once more, made to evade the detector as well; what it leaves is scored and not kept. */
function adaptivePiece(place: Place, attack: ResolvedAttack, range: Range, facts: PlanFacts): Piece {
  const [arm, detector] = place;
  return {
    ...common(place, facts),
    key: shardKey(attackGroup(place, attack, true), range),
    stage: "detect",
    phase: `Attacking ${arm.name} with ${attack.entry.title}, evading ${detector.entry.title}`,
    attack: attack.key,
    needs: [...needsNetwork(arm, facts), ...needsImages(range, facts), ...needsClean(arm, range, facts)],
    cost: (attackCost(arm, attack, facts) * (1 + detectorPasses(detector).surrogate) + scoreCost(place, facts)) * (range[1] - range[0]),
    images: range,
    of: facts.n,
    async run(env, folder) {
      const { classifier: model } = await env.networks.open(arm);
      const streams = { random: (i: number) => env.ctx.rng.stream(`${attack.key}/evade/${i}`) };
      const surface = attackSurface(model, "adaptive", { detector: { detector, weight: evasionWeight, streams } });
      const onProgress = (done: number): void => env.meter.images(done);
      const task = { attack, model, surface: surface.model, images: env.images, cleanPredictions: cleanPredictions(arm, env), onProgress };
      const size = range[1] - range[0];
      const [scores, predictions] = [new Float64Array(size), new Int32Array(size)];
      let done = 0;
      for await (const { adversarial, labels } of attackBatches(task, range, env.ctx)) {
        const [start, n] = [range[0] + done, labels.length];
        const made = { images: adversarial, labels, n };
        const batch: EvaluationImages = { ...env.images, read: async (from, to) => partOfBatch(made, from - start, to - start) };
        const found = await detectImages({ detector, model, images: batch }, env.ctx, [start, start + n]);
        if (!found.scores.every(Number.isFinite)) throw scoresNotNumbers();
        scores.set(found.scores, done);
        predictions.set(found.predictions, done);
        done += n;
      }
      await writeScores(folder.file(scoresFile), { scores, predictions });
    },
  };
}

function resultPiece(place: Place, scored: readonly Piece[], facts: PlanFacts): Piece {
  return {
    ...common(place, facts),
    key: resultKey(place),
    stage: "detect",
    needs: [...scored.map(({ key }) => key), ...needsClean(place[0], [0, facts.n], facts)],
    cost: facts.n,
    async run(env, folder) {
      await writeAtomic(folder.file(resultFile), JSON.stringify(await resultOf(place, env)));
    },
  };
}

async function resultOf(place: Place, env: RunEnvironment): Promise<DetectorResult> {
  const [arm, detector] = place;
  const { threshold, n, shared } = await env.pieces.json<ChosenThreshold>(thresholdKey(place), thresholdFile);
  const right = (await cleanAnswers(arm, env)).map(({ label, cleanPrediction }) => label === cleanPrediction);
  const clean = counted(await rows<Float64Array>(cleanGroup(place), "score", env), right);
  const attacked = await attackedScores(place, right, env);
  const stops = thresholdStops([clean.scores, ...attacked.map(({ scores }) => scores)], threshold, curveSteps);
  const results: DetectedAttack[] = [];
  for (const { attack, adaptive, fooling, ...adversarial } of attacked) {
    const file = armDetectorFile(arm.index, arm.name, detector.key, attack, adaptive);
    await writeNpz(env.store.output(file), { ...arraysOf("clean", clean), ...arraysOf("adversarial", adversarial) });
    const figures = separation(adversarial.scores, clean.scores, { threshold, stops });
    results.push({ attack, adaptive, ...figures, fooling: areaOf(fooling, clean.scores), files: { scores: file } });
  }
  const { falsePositiveRate, positives, key } = detector;
  const flagged = clean.scores.filter((score) => score > (threshold ?? Number.POSITIVE_INFINITY)).length;
  const units = await unitsOf(place, env);
  return {
    ...documented(detector),
    key,
    label: labelOf(detector),
    threshold,
    falsePositiveRate,
    flaggedClean: threshold === null ? null : share(flagged, clean.scores.length),
    thresholdImages: n,
    sharedImages: shared,
    cleanImages: clean.scores.length,
    positives,
    thresholds: stops,
    ...(units.length > 0 ? { units } : {}),
    results,
  };
}

/** Scores of the images that count, and which images these are. */
interface Counted {
  readonly scores: Float64Array;
  readonly indices: Int32Array;
}

function counted(scores: Float64Array, counts: readonly boolean[]): Counted {
  const indices = Int32Array.from(counts.flatMap((isOne, i) => (isOne ? [i] : [])));
  return { scores: Float64Array.from(indices, (i) => scores[i] as number), indices };
}

const arraysOf = (name: string, { scores, indices }: Counted): Parameters<typeof writeNpz>[1] => ({
  [name]: { data: scores, shape: [scores.length] },
  [`${name}Index`]: { data: indices, shape: [indices.length] },
});

interface Attacked extends Counted {
  readonly attack: string;
  readonly adaptive: boolean;
  /** Scores of the images that fool the arm. */
  readonly fooling: Float64Array;
}

/** Of every attack: what it made of the images that the arm classifies correctly, or of those alone that fool it. */
async function attackedScores(place: Place, right: readonly boolean[], env: RunEnvironment) {
  const [arm, { positives }] = place;
  const labels = await storedLabels(env.pieces, env.images.n);
  const found: Attacked[] = [];
  for (const attack of attacksOn(arm, env.facts))
    for (const adaptive of [false, true]) {
      const group = attackGroup(place, attack, adaptive);
      if (env.pieces.group(group).length === 0) continue;
      const predictions = await rows<Int32Array>(group, "prediction", env);
      const scores = await rows<Float64Array>(group, "score", env);
      const isFooled = right.map((isRight, i) => isRight && predictions[i] !== labels[i]);
      const { scores: fooling } = counted(scores, isFooled);
      found.push({ attack: attack.key, adaptive, ...counted(scores, positives === "all" ? right : isFooled), fooling });
    }
  return found;
}

/** Layers that the detector samples, over all clean images. */
async function unitsOf(place: Place, { facts, pieces }: RunEnvironment): Promise<DetectorUnit[]> {
  const ranges = cleanShards(place, facts);
  const shards = await Promise.all(ranges.map((range) => pieces.json<DetectorUnit[]>(shardKey(cleanGroup(place), range), unitsFile)));
  return unitsTogether(shards.map((units, i) => ({ units, images: (ranges[i] as Range)[1] - (ranges[i] as Range)[0] })));
}

const rows = <T extends Float64Array | Int32Array>(group: string, array: "score" | "prediction", env: RunEnvironment): Promise<T> =>
  env.pieces.rows<T>(group, scoresFile, array, [0, env.images.n]);

/** What rules say of the detectors of an arm. */
export const detectorFindings = (arm: ResolvedArm, results: readonly DetectorResult[], { experiment }: RunEnvironment): Finding[] =>
  results.flatMap(({ key, label, results: attacked, thresholdImages, sharedImages = 0 }) => {
    const detector = experiment.detectors.find((one) => one.key === key) as ResolvedDetector;
    const adaptive = attacked.filter((one) => one.adaptive).length;
    const { randomised } = detector.entry;
    const evasionPasses = detectorPasses(detector).surrogate;
    const evidence = { name: label, randomised, evasionPasses, attacks: attacked.length, adaptive, thresholdImages, sharedImages };
    return findingsOf(detectorRules, evidence, { arm: arm.name });
  });

/** What the experiment's detectors say on an arm. */
export const detectorsOf = (arm: ResolvedArm, env: RunEnvironment): Promise<DetectorResult[]> =>
  Promise.all(env.experiment.detectors.map((detector) => env.pieces.json<DetectorResult>(resultKey([arm, detector]), resultFile)));
