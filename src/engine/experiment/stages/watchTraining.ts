import { runFiles, slug } from "../../../shared/runs.ts";
import { overlayBytes } from "../../attention/colour.ts";
import { batchSizeFor } from "../../classifier/batchSizes.ts";
import type { Classifier } from "../../classifier/classifier.ts";
import type { ImageBatch } from "../../define/index.ts";
import { canExplain, explainImages } from "../../evaluation/explain.ts";
import { attackInHalves } from "../../harness/halving.ts";
import { writePng } from "../../io/png.ts";
import { bind, find } from "../../registry.ts";
import type { ImageSource } from "../../training/loop.ts";
import type { ResolvedArm } from "../arms.ts";
import type { RunEnvironment } from "../environment.ts";
import type { EpochEvent } from "./train.ts";

export interface Watched {
  readonly arm: ResolvedArm;
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

/** Where the network looks on four images of different classes, as pictures and an event after every epoch; nothing where it has no feature map. */
export function attentionByEpoch(w: Watched, env: RunEnvironment): (epoch: number) => Promise<void> {
  let chosen: (ImageBatch & { readonly indices: readonly number[] }) | undefined;
  return async (epoch) => {
    const model = w.classifier();
    if (!canExplain(find("explanation", watched.id), model)) return;
    chosen ??= await differentClasses(w.images);
    const explained = await explainImages(model, chosen.images, watched, env.ctx);
    const [height, width, channels] = model.inputShape;
    const pixels = height * width * channels;
    const images: { index: number; file: string }[] = [];
    for (const [i, index] of chosen.indices.entries()) {
      const file = `${runFiles.images}/attention-${slug(w.arm.name)}-${index}-epoch-${epoch}.png`;
      const bytes = overlayBytes(explained.map(i), chosen.images.subarray(i * pixels, (i + 1) * pixels), channels);
      await writePng(env.store.file(file), bytes, height, width, 3);
      images.push({ index, file });
    }
    env.emit({ kind: "attention", arm: w.arm.name, epoch, images });
  };
}

const firstIndices = (wanted: number, size: number): Int32Array => Int32Array.from({ length: Math.min(wanted, size) }, (_, i) => i);

/** The first image of each of four classes among the first ones; of fewer classes, as many as there are. */
async function differentClasses(source: ImageSource): Promise<ImageBatch & { readonly indices: readonly number[] }> {
  const { labels } = await source.read(firstIndices(quickImages, source.size));
  const indices = [...labels.keys()].filter((i) => labels.indexOf(labels[i] as number) === i).slice(0, attentionImages);
  return { ...(await source.read(indices)), indices };
}
