import type { WatchedImage, WatchedMap } from "../../../shared/events.ts";
import { runFiles, slug } from "../../../shared/runs.ts";
import { overlayBytes } from "../../attention/colour.ts";
import { batchSizeFor } from "../../classifier/batchSizes.ts";
import type { Classifier } from "../../classifier/classifier.ts";
import type { TrainingPlan } from "../../define/index.ts";
import { canExplain, explainImages } from "../../evaluation/explain.ts";
import { writePicture } from "../../evaluation/write.ts";
import { attackInHalves } from "../../harness/halving.ts";
import { writePng } from "../../io/png.ts";
import { bind, find } from "../../registry.ts";
import { craftImages } from "../../training/craft.ts";
import type { FedBatch, ImageSource } from "../../training/feed.ts";
import type { ResolvedArm } from "../arms.ts";
import type { RunEnvironment } from "../environment.ts";
import type { EpochEvent } from "./train.ts";

export interface Watched {
  readonly arm: ResolvedArm;
  /** How the network is trained: what it crafts is watched too. */
  readonly plan: Pick<TrainingPlan, "craft">;
  /** Images that are not trained on, where some were set aside. */
  readonly images: ImageSource;
  /** The network as it is now, behind the arm's defence. */
  classifier(): Classifier;
}

const quickImages = 64;
const attentionImages = 4;
const watched = { id: "gradCam", params: {} };

/** Success rate of the experiment's quick attack on a few images, after an epoch; null where the experiment names none. */
export function quickAttack(w: Watched, env: RunEnvironment): (() => Promise<NonNullable<EpochEvent["quickAttack"]>>) | null {
  const chosen = w.arm.train.quickAttack;
  if (!chosen) return null;
  const { id, params, entry: attack } = bind("attack", chosen);
  const name = typeof params["pixels"] === "number" ? `${params["pixels"]}-pixel attack` : attack.title;
  return async () => {
    const batch = await w.images.read(firstIndices(quickImages, w.images.size));
    const task = { attack, params, model: w.classifier(), batch, firstIndex: 0, seedName: `quick/${id}` };
    const outcome = await attackInHalves(task, env.ctx, batchSizeFor(task.model, "gradient").most);
    const attacked = outcome.records.filter((record) => record.cleanPrediction === record.label);
    const successRate = attacked.length === 0 ? null : attacked.filter((record) => record.success).length / attacked.length;
    return { id, name, successRate };
  };
}

/**
 * What speaks for the true class in the chosen images, as pictures and an event after every epoch; nothing where the network has no feature
 * map. A training that crafts adversarial images shows those of the same images beside them (paper 2, Figure 6: g(x) and g(x_adv) as the
 * preservation loss compares them).
 */
export function attentionByEpoch(w: Watched, env: RunEnvironment): (epoch: number) => Promise<void> {
  let chosen: FedBatch | undefined;
  const stemOf = (index: number): string => `${runFiles.images}/attention-${slug(w.arm.name)}-${index}`;
  return async (epoch) => {
    const model = w.classifier();
    if (!canExplain(find("explanation", watched.id), model)) return;
    if (!chosen) {
      chosen = await watchedImages(w);
      for (const [i, index] of chosen.indices.entries())
        await writePicture(env.store.file(`${stemOf(index)}.png`), chosen.images, i, model.inputShape);
    }
    const { craft } = w.plan;
    const crafted = craft && (await craftImages(craft, model, chosen, `watch/${w.arm.name}`, env.ctx));
    const images: WatchedImage[] = [];
    for (const [i, index] of chosen.indices.entries()) {
      const [image, stem] = [{ index, place: i, label: chosen.labels[i] ?? 0 }, stemOf(index)];
      const own = await mapOf(`${stem}-epoch-${epoch}.png`, chosen.images, image, model, env);
      const attacked = crafted && (await mapOf(`${stem}-attacked-epoch-${epoch}.png`, crafted, image, model, env));
      images.push({ index, clean: `${stem}.png`, ...own, ...(attacked ? { attacked } : {}) });
    }
    env.emit({ kind: "attention", arm: w.arm.name, epoch, images });
  };
}

/** Draws the evidence for the label of one of the images [n,H,W,C]. */
async function mapOf(
  file: string,
  images: Float32Array,
  { index, place, label }: { readonly index: number; readonly place: number; readonly label: number },
  model: Classifier,
  env: RunEnvironment,
): Promise<Required<WatchedMap>> {
  const [height, width, channels] = model.inputShape;
  const size = height * width * channels;
  const image = images.slice(place * size, (place + 1) * size);
  const explained = await explainImages(model, image, watched, env.ctx, { classIndex: label, first: index });
  await writePng(env.store.file(file), overlayBytes(explained.map(0), image, channels), height, width, 3);
  const predicted = explained.predictions[0] ?? 0;
  return { file, prediction: { name: model.classNames[predicted] ?? String(predicted), probability: explained.scores[predicted] ?? 0 } };
}

const firstIndices = (wanted: number, size: number): Int32Array => Int32Array.from({ length: Math.min(wanted, size) }, (_, i) => i);

/** The images that the experiment names; where it names none, the first of each of four classes among the first ones, or of as many as there are. */
async function watchedImages({ arm, images: source }: Watched): Promise<FedBatch> {
  const named = [...new Set(arm.train.watch)];
  const indices = Int32Array.from(named.length > 0 ? named : await differentClasses(source));
  return { ...(await source.read(indices)), indices };
}

async function differentClasses(source: ImageSource): Promise<number[]> {
  const { labels } = await source.read(firstIndices(quickImages, source.size));
  return [...labels.keys()].filter((i) => labels.indexOf(labels[i] as number) === i).slice(0, attentionImages);
}
