import { type FileHandle, open, rm } from "node:fs/promises";
import path from "node:path";
import { BulwarkError } from "../../shared/errors.ts";
import { milliseconds } from "../../shared/format.ts";
import type { DefendDocument } from "../../shared/images.ts";
import { combinedDefense } from "../../shared/results.ts";
import { runFiles, slug, thumbnailCount } from "../../shared/runs.ts";
import { checkDefenses } from "../classifier/checkDefenses.ts";
import type { Classifier, FrontDefense } from "../classifier/classifier.ts";
import { frontNotes, withoutModel } from "../classifier/defended.ts";
import { forImages, imageStreams } from "../classifier/streams.ts";
import type { RunContext } from "../context.ts";
import { documented } from "../define/index.ts";
import { openPictures, type Picture, type PictureShape, type Pictures } from "../evaluation/pictures.ts";
import { writePicture } from "../evaluation/write.ts";
import { type NpyStream, writeNpz } from "../io/npz.ts";
import { quantile } from "../metrics/quantiles.ts";
import type { Engine } from "../session/engine.ts";
import { behindDefenses, frontDefenses } from "../session/frontDefenses.ts";
import { type Images, tf } from "../tf.ts";
import { type ImagesRequest, runOverImages, type Working } from "./overImages.ts";

/** Transformations as they are for one image of the data set. */
type FrontOf = (index: number) => readonly FrontDefense[];

/**
 * Defences alone, on a data set or pictures, one image at a time: `images/`, and `defended.npz` where all images are of one size. Pictures
 * keep their own size unless a model is named.
 * @throws USAGE for a defence that looks at a model where none is named, DEFENSE_INVALID, and what opening model and images throws
 */
export async function defendDataset(
  p: ImagesRequest & { readonly model: string | null },
  engine: Engine,
  ctx: RunContext,
): Promise<{ readonly directory: string; readonly document: DefendDocument }> {
  const model = p.model === null ? null : await behindDefenses(await engine.model(p.model), p.defenses, ctx.rng);
  const front = model ? behindModel(model, p.defenses.length, ctx) : alone(p, ctx);
  const pictures = await openPictures({ ...p, files: p.images }, model, ctx);
  try {
    for (const shape of pictures.shapes) await checkDefenses(front(0), shape);
    const notes = [...pictures.notes, ...pictures.shapes.flatMap((shape) => frontNotes([front(0)], shape))];
    const work = async (run: Working) => {
      const times = await transformAll(pictures, front, p, run);
      const document = documentOf(run.store.id, p, pictures, times);
      return { document, headline: `${milliseconds(document.milliseconds.mean)} an image` };
    };
    return await runOverImages(
      p,
      { kind: "defend", phase: "Transforming", asked: { model: p.model }, notes, skipped: pictures.skipped, work },
      engine,
      ctx,
    );
  } finally {
    await pictures.close();
  }
}

const behindModel =
  (model: Classifier, count: number, { rng }: RunContext): FrontOf =>
  (index) =>
    (forImages(model, rng, index).front ?? []).slice(0, count);

function alone({ defenses }: ImagesRequest, { rng }: RunContext): FrontOf {
  const chain = frontDefenses(defenses);
  const blind = chain.find(({ entry, params }) => entry.usesModel(params));
  if (blind) throw new BulwarkError("USAGE", `${blind.entry.title} looks at the model behind it.`, "Name that model with --model.");
  return (index) => withoutModel(chain, imageStreams(rng, index));
}

/** One image through all transformations. */
async function defended(front: readonly FrontDefense[], { pixels, shape }: Picture, ctx: RunContext) {
  const x: Images = tf.tensor4d(pixels, [1, ...shape]);
  const started = ctx.clock();
  const output = tf.tidy(() => front.reduce<Images>((seen, defense) => defense.transform(seen), x.clone()));
  try {
    const values = Float32Array.from(await output.data());
    return { values, milliseconds: ctx.clock() - started };
  } finally {
    tf.dispose([x, output]);
  }
}

/**
 * Transforms every image, writes the pictures, and, where all are of one size, `defended.npz`: outputs wait in a file beside it, since a
 * `.npz` wants one array after the other. @returns milliseconds of each image
 */
async function transformAll(pictures: Pictures, front: FrontOf, p: ImagesRequest, { store, ctx, progress }: Working): Promise<number[]> {
  const waiting = store.file(`${runFiles.defended}.outputs`);
  const handle = await open(waiting, "w+");
  const times: number[] = [];
  const [shape, other] = pictures.shapes;
  const common = other ? undefined : shape;
  try {
    await defended(front(0), await pictures.read(0), ctx); // compiles: the first image would seem slow
    for (let index = 0; index < pictures.n; index++) {
      const picture = await pictures.read(index);
      const { values, milliseconds: time } = await defended(front(index), picture, ctx);
      times.push(time);
      if (common) await handle.write(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
      if (p.dataset === null || index < thumbnailCount)
        await writePicture(store.file(pictureFile(index, picture.name)), values, 0, picture.shape);
      progress(index + 1, pictures.n);
      await ctx.checkpoint();
    }
    if (common) await writeNpz(store.file(runFiles.defended), arraysOf(pictures, handle, common));
  } finally {
    await handle.close();
    await rm(waiting, { force: true });
  }
  return times;
}

const pictureFile = (index: number, name: string | null): string =>
  `${runFiles.images}/${index}${name === null ? "" : `-${slug(path.basename(name, path.extname(name)))}`}-defended.png`;

function arraysOf(pictures: Pictures, outputs: FileHandle, size: PictureShape): Record<string, NpyStream> {
  const shape = [pictures.n, ...size];
  const values = size.reduce((a, b) => a * b);
  return {
    input: {
      type: "float32",
      shape,
      async *chunks() {
        for (let index = 0; index < pictures.n; index++) yield (await pictures.read(index)).pixels;
      },
    },
    output: {
      type: "float32",
      shape,
      async *chunks() {
        for (let index = 0; index < pictures.n; index++) {
          const chunk = new Float32Array(values);
          await outputs.read(new Uint8Array(chunk.buffer), 0, chunk.byteLength, index * chunk.byteLength);
          yield chunk;
        }
      },
    },
  };
}

function documentOf(run: string, { defenses }: ImagesRequest, { n, shapes }: Pictures, times: readonly number[]): DefendDocument {
  const chain = frontDefenses(defenses).map(documented);
  return {
    run,
    n,
    defense: combinedDefense(chain) ?? { id: "standard", params: {} },
    defenses: chain,
    milliseconds: { mean: times.reduce((a, b) => a + b, 0) / n, p95: quantile(times, 0.95) ?? 0 },
    files: { ...(shapes.length === 1 ? { defended: runFiles.defended } : {}), images: `${runFiles.images}/` },
  };
}
