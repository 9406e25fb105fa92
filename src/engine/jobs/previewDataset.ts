import path from "node:path";
import type { DatasetPreview, PreviewDatasetParams } from "../../shared/datasetPreview.ts";
import type { RunContext } from "../context.ts";
import { locateDataset, parseDataset } from "../datasets/resolve.ts";
import { type Dataset, resolveParams, type Split } from "../define/index.ts";
import { writePicture } from "../evaluation/write.ts";
import { find } from "../registry.ts";

const splits: readonly Split[] = ["test", "train"];
const batch = 32;

/** About this many image files are listed at most, the first of every class: a page of 100,000 takes seconds to open. */
const mostNamed = 10_000;

/**
 * What a data set holds, for looking at it: its classes with their counts and what was left out. Images in files of their own are named;
 * of others the first `limit` are written as PNG files. @throws what opening the data set throws
 */
export async function previewDataset(p: PreviewDatasetParams, ctx: RunContext): Promise<DatasetPreview> {
  const { kind, path: given } = parseDataset(p.dataset, p.workspace);
  const entry = find("dataset", kind);
  const where = { path: await locateDataset(kind, given, p.workspace) };
  const dataset = await entry.load(resolveParams(entry.params, where, kind), ctx);
  try {
    const counts = new Array<number>(dataset.classNames.length).fill(0);
    for (const split of splits) for (const label of dataset.labels(split)) counts[label] = (counts[label] ?? 0) + 1;
    const total = splits.reduce((sum, split) => sum + dataset.size(split), 0);
    const { inputShape, classNames, notes = [], skipped = [] } = dataset;
    const named = namedImages(dataset, counts);
    const images = named ?? (await writtenImages(dataset, p, ctx));
    return { inputShape, classNames, counts, total, notes, skipped, images, areFiles: named !== null };
  } finally {
    await dataset.close();
  }
}

/** The files of the images, about `most` of them, equally many of every class; null for images that are in no files of their own. */
export function namedImages(
  dataset: Pick<Dataset, "labels" | "fileOf">,
  counts: readonly number[],
  most = mostNamed,
): DatasetPreview["images"] | null {
  const perClass = Math.ceil(most / Math.max(1, counts.filter((n) => n > 0).length));
  const named = counts.map(() => 0);
  const found: { file: string; label: number }[] = [];
  for (const split of splits)
    for (const [index, label] of dataset.labels(split).entries()) {
      const file = dataset.fileOf?.(split, index);
      if (file === undefined) return null;
      const before = named[label] ?? 0;
      if (before >= perClass) continue;
      named[label] = before + 1;
      found.push({ file, label });
    }
  return found;
}

async function writtenImages(dataset: Dataset, p: PreviewDatasetParams, ctx: RunContext): Promise<DatasetPreview["images"]> {
  const split = splits.find((one) => dataset.size(one) > 0) ?? "test";
  const n = Math.min(p.limit, dataset.size(split));
  const found: { file: string; label: number }[] = [];
  for (let from = 0; from < n; from += batch) {
    const places = Array.from({ length: Math.min(batch, n - from) }, (_, i) => from + i);
    const { images, labels } = await dataset.read(split, places);
    for (const [i, place] of places.entries()) {
      const file = path.join(p.directory, `${place}.png`);
      await writePicture(file, images, i, dataset.inputShape);
      found.push({ file, label: labels[i] ?? 0 });
    }
    await ctx.checkpoint();
  }
  return found;
}
