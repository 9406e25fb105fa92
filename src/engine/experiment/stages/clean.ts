import type { Range } from "../../evaluation/batches.ts";
import { classifyBatches } from "../../evaluation/clean.ts";
import { writeNpz } from "../../io/npz.ts";
import type { CleanAnswer } from "../../rules/evidence.ts";
import { findingLine } from "../../rules/rule.ts";
import type { ResolvedArm } from "../arms.ts";
import { memoryOf, passCost } from "../costs.ts";
import type { RunEnvironment } from "../environment.ts";
import { networkKey } from "../networks.ts";
import { type PlanFacts, type Stage, shardKey } from "../piece.ts";
import { storedLabels } from "../runPieces.ts";
import { overlapping, shardsOf } from "../shards.ts";
import { checkFront } from "./checks.ts";
import { needsImages } from "./images.ts";
import { needsNetwork } from "./train.ts";

const file = "clean.npz";
const groupOf = (arm: ResolvedArm): string => `clean:${arm.name}`;
const shards = (arm: ResolvedArm, facts: PlanFacts): Range[] => shardsOf(facts.n, facts.inputShape, passCost(arm, facts));

/** The pieces that say what an arm makes of the clean images of a range. */
export const needsClean = (arm: ResolvedArm, range: Range, facts: PlanFacts): string[] =>
  overlapping(shards(arm, facts), range).map((shard) => shardKey(groupOf(arm), shard));

/** Every arm classifies the clean images once: `prediction` [n] and `probability` [n,k]. */
export const cleanStage: Stage = {
  kind: "clean",
  pieces(arm, facts) {
    const { inputShape, n } = facts;
    return shards(arm, facts).map((range, i) => ({
      key: shardKey(groupOf(arm), range),
      stage: "clean",
      phase: `Classifying the test images with ${arm.name}`,
      arm: arm.name,
      needs: [...needsNetwork(arm, facts), ...needsImages(range, facts)],
      cost: passCost(arm, facts) * (range[1] - range[0]),
      network: networkKey(arm),
      memory: memoryOf(inputShape, 100),
      images: range,
      of: n,
      device: "evaluate",
      ...(i === 0 ? { check: (env) => checkFront(arm, env) } : {}),
      async run(env, folder) {
        const { classifier } = await env.networks.open(arm);
        if (i === 0)
          for (const finding of classifier.findings) env.emit({ kind: "warning", message: `${arm.name}: ${findingLine(finding)}` });
        const { classes } = classifier;
        const size = range[1] - range[0];
        const prediction = new Int32Array(size);
        const probability = new Float32Array(size * classes);
        let done = 0;
        for await (const { predictions, probabilities } of classifyBatches(classifier, env.images, range, env.ctx)) {
          prediction.set(predictions, done);
          probability.set(probabilities, done * classes);
          done += predictions.length;
          env.meter.report(done, size);
        }
        await writeNpz(folder.file(file), {
          prediction: { data: prediction, shape: [size] },
          probability: { data: probability, shape: [size, classes] },
        });
      },
    }));
  },
};

/** What an arm says of the clean images [start, end). */
export const cleanPredictions =
  (arm: ResolvedArm, env: RunEnvironment) =>
  (start: number, end: number): Promise<Int32Array> =>
    env.pieces.rows<Int32Array>(groupOf(arm), file, "prediction", [start, end]);

/** Class probabilities of the clean images, [n·k]. */
export const cleanProbabilities = (arm: ResolvedArm, env: RunEnvironment): Promise<Float32Array> =>
  env.pieces.rows<Float32Array>(groupOf(arm), file, "probability", [0, env.images.n]);

/** Label and predicted class of every clean image. */
export async function cleanAnswers(arm: ResolvedArm, env: RunEnvironment): Promise<CleanAnswer[]> {
  const { n } = env.images;
  const [labels, predictions] = [await storedLabels(env.pieces, n), await cleanPredictions(arm, env)(0, n)];
  return Array.from(labels, (label, i) => ({ label, cleanPrediction: predictions[i] as number }));
}
