import type { ExplanationResult, ExplanationSample } from "../../../shared/results.ts";
import { runFiles, slug } from "../../../shared/runs.ts";
import { attentionBytes } from "../../attention/colour.ts";
import { isClassSorted } from "../../datasets/order.ts";
import { documented, type Explanations } from "../../define/index.ts";
import { explainImages } from "../../evaluation/explain.ts";
import { writePicture } from "../../evaluation/write.ts";
import { writeAtomic } from "../../io/files.ts";
import { writePng } from "../../io/png.ts";
import type { ResolvedArm } from "../arms.ts";
import { explanationCost, memoryOf } from "../costs.ts";
import type { RunEnvironment } from "../environment.ts";
import { networkKey } from "../networks.ts";
import type { Stage } from "../piece.ts";
import type { ResolvedExplanation } from "../resolve.ts";
import { storedLabels } from "../runPieces.ts";
import { checkExplanation } from "./checks.ts";
import { needsImages } from "./images.ts";
import { mergedAttack, mergeKey } from "./merge.ts";
import { adversarialIn } from "./merged.ts";
import { needsNetwork } from "./train.ts";

const file = "explanation.json";
export const explainKey = (arm: ResolvedArm, place: number): string => `explain:${arm.name}:${place}`;
export const explanationOf = (arm: ResolvedArm, place: number, env: RunEnvironment): Promise<ExplanationResult> =>
  env.pieces.json<ExplanationResult>(explainKey(arm, place), file);

/** Attention on some test images, before and after every attack of the experiment: the same images for every arm. */
export const explainStage: Stage = {
  kind: "explain",
  pieces(arm, facts) {
    const { experiment, inputShape, mode } = facts;
    if (arm.index < 0 || mode === "train") return [];
    return experiment.explanations.map((explanation, place) => {
      const samples = Math.min(explanation.images, facts.n);
      return {
        key: explainKey(arm, place),
        stage: "explain" as const,
        phase: `Explaining ${arm.name}`,
        arm: arm.name,
        needs: [
          ...needsNetwork(arm, facts),
          ...needsImages([0, facts.n], facts),
          ...experiment.attacks.map((attack) => mergeKey(arm, attack)),
        ],
        cost: explanationCost(arm, explanation, facts) * samples * (1 + experiment.attacks.length),
        network: networkKey(arm),
        memory: memoryOf(inputShape, samples),
        device: "evaluate" as const,
        check: (env: RunEnvironment) => checkExplanation(arm, explanation, env),
        async run(env, folder) {
          await writeAtomic(folder.file(file), JSON.stringify(await explainArm(arm, explanation, samples, env)));
        },
      };
    });
  },
};

async function explainArm(arm: ResolvedArm, explanation: ResolvedExplanation, n: number, env: RunEnvironment): Promise<ExplanationResult> {
  const { classifier } = await env.networks.open(arm);
  const samples: ExplanationSample[] = [];
  if (env.experiment.attacks.length === 0) return { ...documented(explanation), layer: null, samples };
  const labels = [...(await storedLabels(env.pieces, env.images.n))];
  const places = placesOf(labels, n);
  const stem = (part: string, index: number): string => `${runFiles.images}/${slug(arm.name)}-${part}${explanation.id}-${index}`;
  const pixels = await joined(places, async (index) => (await env.images.read(index, index + 1)).images);
  const clean = await explainImages(classifier, pixels, explanation, env.ctx); // the same beside every attack
  const before: ExplanationSample["clean"][] = [];
  for (const [at, index] of places.entries()) before.push(await draw(`${stem("", index)}-clean`, pixels, clean, at, env));
  for (const attack of env.experiment.attacks) {
    const { file: stored } = await mergedAttack(arm, attack, env);
    const attacked = await joined(places, (index) => adversarialIn(env.store.file(stored), index, index + 1));
    const adversarial = await explainImages(classifier, attacked, explanation, env.ctx);
    for (const [at, index] of places.entries()) {
      samples.push({
        index,
        label: labels[index] ?? 0,
        attack: attack.key,
        clean: before[at] as ExplanationSample["clean"],
        adversarial: await draw(`${stem(`${slug(attack.key)}-`, index)}-adversarial`, attacked, adversarial, at, env),
        iou: clean.overlap(at, adversarial),
      });
    }
    await env.ctx.checkpoint();
  }
  return { ...documented(explanation), layer: clean.layer, samples };
}

/** The first images; of images that lie class by class, `n` at equal distances, which are of many classes. */
export function placesOf(labels: readonly number[], n: number): number[] {
  const step = isClassSorted(labels) ? labels.length / n : 1;
  return Array.from({ length: n }, (_, i) => Math.floor(i * step));
}

async function joined(places: readonly number[], read: (index: number) => Promise<Float32Array>): Promise<Float32Array> {
  const parts: Float32Array[] = [];
  for (const index of places) parts.push(await read(index));
  const size = parts[0]?.length ?? 0;
  const whole = new Float32Array(size * parts.length);
  for (const [i, part] of parts.entries()) whole.set(part, i * size);
  return whole;
}

async function draw(stem: string, images: Float32Array, explained: Explanations, index: number, env: RunEnvironment) {
  const { inputShape } = env.data;
  const [height, width] = inputShape;
  const [image, attention] = [`${stem}.png`, `${stem}-attention.png`];
  await writePicture(env.store.output(image), images, index, inputShape);
  await writePng(env.store.output(attention), attentionBytes(explained.map(index)), height, width, 3);
  return { image, attention, prediction: explained.predictions[index] ?? 0 };
}
