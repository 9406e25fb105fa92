import type { ExplanationResult, ExplanationSample } from "../../shared/results.ts";
import { runFiles, slug } from "../../shared/runs.ts";
import { attentionBytes } from "../attention/colour.ts";
import { documented } from "../define/index.ts";
import { type Explanations, explainImages } from "../evaluation/explain.ts";
import { writePicture } from "../evaluation/write.ts";
import { readNpz } from "../io/npz.ts";
import { writePng } from "../io/png.ts";
import type { ResolvedArm } from "./arms.ts";
import type { ArmAttack } from "./attackArm.ts";
import type { RunEnvironment } from "./environment.ts";
import type { OpenArm } from "./openArm.ts";
import type { ResolvedExplanation } from "./resolve.ts";

/** Attention on the first images of the test set, before and after every attack: the same images for every arm. */
export async function explainArm(
  arm: ResolvedArm,
  open: OpenArm,
  explanation: ResolvedExplanation,
  attacks: readonly ArmAttack[],
  env: RunEnvironment,
): Promise<ExplanationResult> {
  const samples: ExplanationSample[] = [];
  let layer: string | null = null;
  for (const attack of attacks) {
    const pair = await readPair(env.store.file(attack.file), explanation.samples, env);
    const clean = await explainImages(open.classifier, pair.clean, explanation, env.ctx);
    const adversarial = await explainImages(open.classifier, pair.adversarial, explanation, env.ctx);
    layer = clean.layer;
    for (let index = 0; index < pair.n; index++) {
      const stem = `${runFiles.images}/${slug(arm.name)}-${slug(attack.attack.key)}-${explanation.id}-${index}`;
      const record = attack.document.images[index];
      samples.push({
        index,
        label: record?.label ?? 0,
        attack: attack.attack.key,
        clean: await draw(`${stem}-clean`, pair.clean, clean, index, env),
        adversarial: await draw(`${stem}-adversarial`, pair.adversarial, adversarial, index, env),
        iou: clean.overlap(index, adversarial),
      });
    }
    await env.ctx.checkpoint();
  }
  return { ...documented(explanation), layer, samples };
}

async function draw(stem: string, images: Float32Array, explained: Explanations, index: number, env: RunEnvironment) {
  const [height, width] = env.data.test.inputShape;
  const [image, attention] = [`${stem}.png`, `${stem}-attention.png`];
  await writePicture(env.store.file(image), images, index, env.data.test.inputShape);
  await writePng(env.store.file(attention), attentionBytes(explained.map(index)), height, width, 3);
  return { image, attention, prediction: explained.predictions[index] ?? 0 };
}

async function readPair(file: string, samples: number, env: RunEnvironment) {
  const [height, width, channels] = env.data.test.inputShape;
  const arrays = await readNpz(file);
  const n = Math.min(samples, env.data.test.n);
  const first = (name: string): Float32Array => Float32Array.from((arrays[name]?.data ?? []).slice(0, n * height * width * channels));
  return { n, clean: first("clean"), adversarial: first("adversarial") };
}
