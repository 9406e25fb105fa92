import { number } from "../../shared/format.ts";
import type { DetectDocument } from "../../shared/images.ts";
import type { Choice } from "../../shared/results.ts";
import { runFiles } from "../../shared/runs.ts";
import { inertTexts } from "../../shared/sampledUnits.ts";
import { scoresNotNumbers } from "../classifier/probabilities.ts";
import type { RunContext } from "../context.ts";
import { documented } from "../define/index.ts";
import { detectImages } from "../evaluation/detect.ts";
import { missingLabels } from "../evaluation/source.ts";
import { writeNpz } from "../io/npz.ts";
import { bind } from "../registry.ts";
import { findingLine } from "../rules/rule.ts";
import type { Engine } from "../session/engine.ts";
import { type ModelRequest, runOverImages, type Working, withModel, writeIdentities } from "./overImages.ts";

/**
 * A detector's scores for a data set or pictures, without any attack: `detection.npz` and `result.json`.
 * @throws UNKNOWN_ID, PARAMETER_INVALID, MODEL_NAN, and what opening model and images throws
 */
export async function detectDataset(
  p: ModelRequest & { readonly detector: Choice },
  engine: Engine,
  ctx: RunContext,
): Promise<{ readonly directory: string; readonly document: DetectDocument }> {
  const detector = bind("detector", { ...p.detector.params, kind: p.detector.id });
  return withModel({ ...p, unmatched: "leaveOut" }, engine, ctx, (model, opened) => {
    const { images } = opened;
    const missing = missingLabels(opened.labelSources);
    const work = async (run: Working) => {
      const { store, ctx: own, progress } = run;
      const task = { detector, model, images, keepsProbabilities: true, onProgress: progress };
      const { scores, votes, labels, predictions, units, probabilities } = await detectImages(task, own);
      if (scores.some(Number.isNaN)) throw scoresNotNumbers();
      for (const message of inertTexts(units)) ctx.emit(store.append({ kind: "warning", message }));
      const k = model.classes;
      await writeNpz(store.file(runFiles.detection), {
        score: { data: scores, shape: [images.n] },
        votes: { data: votes, shape: [images.n, k] },
        ...Object.fromEntries(probabilities.map((data, u) => [`probabilities_${u}`, { data, shape: [images.n, data.length / images.n] }])),
      });
      const about = await writeIdentities(run, p, { opened, labels, model });
      const document: DetectDocument = {
        run: store.id,
        n: images.n,
        model: p.model,
        detector: documented(detector),
        ...(missing ? { labels: missing } : {}),
        units,
        images: Array.from(scores, (score, index) => ({
          index,
          ...about[index],
          label: labels[index] as number,
          cleanPrediction: predictions[index] as number,
          score,
          votes: [...votes.subarray(index * k, (index + 1) * k)],
        })),
        files: { detection: runFiles.detection },
      };
      const mean = scores.reduce((sum, score) => sum + score, 0) / images.n;
      return { document, headline: `${detector.entry.title}: ${number(mean)} on average` };
    };
    const warnings = model.findings.map(findingLine);
    const { notes, skipped } = opened;
    return runOverImages(
      p,
      { kind: "detect", phase: detector.entry.title, batches: { model, need: "forward" }, warnings, notes, skipped, work },
      engine,
      ctx,
    );
  });
}
