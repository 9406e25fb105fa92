import path from "node:path";
import type { CalibrationResult } from "../../shared/detectionCards.ts";
import type { CalibrateDetectorParams } from "../../shared/protocol.ts";
import { scoresNotNumbers } from "../classifier/probabilities.ts";
import type { RunContext } from "../context.ts";
import { documented } from "../define/index.ts";
import { batchesOf } from "../evaluation/batches.ts";
import { detectImages } from "../evaluation/detect.ts";
import { openImages } from "../evaluation/source.ts";
import { bind } from "../registry.ts";
import type { Engine } from "../session/engine.ts";
import { partOf } from "./explainRun.ts";
import { insideRun, inspectedModel } from "./inspected.ts";

/** Images between two reports of progress: their passes fill whole batches. */
const together = 8;

/**
 * A detector's scores of clean images, to choose a threshold on: test images of a data set that the model behind its defences classifies
 * correctly. Scores are those of `bulwark detect` on the same images and seed.
 * @throws DATASET_EMPTY, IMAGE_SIZE, what `detectRun` throws, and what opening the data throws
 */
export async function calibrateDetector(p: CalibrateDetectorParams, engine: Engine, ctx: RunContext): Promise<CalibrationResult> {
  const model = await inspectedModel(p, engine, ctx);
  const detector = bind("detector", { ...p.detector.params, kind: p.detector.id });
  const choice = { files: [], dataset: p.data, split: "test", limit: p.limit, workspace: p.workspace } as const;
  const { images, chosen, close } = await openImages(choice, model, p.model, ctx);
  try {
    const scores: number[] = [];
    const ranges = batchesOf(images.n, together);
    for (const [part, range] of ranges.entries()) {
      const found = await detectImages({ detector, model, images }, partOf(ctx, part, ranges.length), range);
      if (found.scores.some(Number.isNaN)) throw scoresNotNumbers();
      scores.push(...found.scores.filter((_, i) => found.predictions[i] === found.labels[i]));
      await ctx.checkpoint({ phase: detector.entry.title, done: part + 1, total: ranges.length });
    }
    scores.sort((a, b) => a - b);
    return await insideRun(p, `detect ${path.basename(p.image)}`, async () => ({
      detector: documented(detector),
      name: chosen.name,
      n: images.n,
      scores,
    }));
  } finally {
    await close();
  }
}
