import type { ArmCertificate } from "../../shared/certificate.ts";
import type { ImageRecord } from "../../shared/results.ts";
import { inOneRow, inParts } from "../backends/parts.ts";
import { batchSizeFor } from "../classifier/batchSizes.ts";
import type { Classifier, SliceSource } from "../classifier/classifier.ts";
import type { RunContext } from "../context.ts";
import type { AnalysedAttack, AnalysisSubject } from "../define/analysis.ts";
import { type Certificate, certify, rounding, sliceMap, softmax } from "../metrics/certificate.ts";
import { type Images, tf, valuesOf } from "../tf.ts";
import { batchesOf } from "./batches.ts";
import { argmax } from "./clean.ts";
import { imageBatches } from "./imageBatches.ts";

/** Images on which it is tried whether slices are judged on their own. */
const triedImages = 16;
interface Wanted {
  readonly slices: readonly number[];
  readonly patches: readonly number[];
}

/**
 * The certificates of all test images of an arm whose slices are judged on their own. Every attack on the arm is held against them.
 * @throws Error naming the image where an attack changed a class that is certified against what the attack changed: a fault of this program
 */
export async function certifiedImages(subject: AnalysisSubject, wanted: Wanted, ctx: RunContext): Promise<ArmCertificate> {
  const { model } = subject;
  const { slices } = model;
  if (!slices) throw new Error("the model has no slices");
  const map = sliceMap(model.inputShape, slices);
  const touched = wanted.patches.map((side) => ({ side, sets: map.touchedBy(side) }));
  const clean = subject.images(null);
  if (await areDependent(model, slices, (await clean.read(0, Math.min(triedImages, clean.n))).images, ctx))
    return { unavailable: "other content of one slice changed the scores of others" };
  const { probabilities, labels, classes } = await subject.scores(null);
  const attacks = [...new Map([...subject.attacks, ...subject.further].map((attack) => [attack.key, attack])).values()];
  const images: number[] = [];
  const [ofSlices, ofPatches] = [wanted.slices.map(() => 0), wanted.patches.map(() => 0)];
  const { size, most } = batchSizeFor(model, "forward");
  for await (const [[start, end], batch] of imageBatches(clean, batchesOf(clean.n, size))) {
    const logits = await rasterLogits(model, slices, batch.images, most);
    const certificates = Array.from({ length: end - start }, (_, i) =>
      certify(
        logits.subarray((i * logits.length) / batch.n, ((i + 1) * logits.length) / batch.n),
        argmax(probabilities, start + i, classes),
        slices,
        map.sharing,
      ),
    );
    for (const [i, certificate] of certificates.entries()) {
      images.push(certificate.slices);
      if (argmax(probabilities, start + i, classes) !== labels[start + i]) continue;
      wanted.slices.forEach((K, k) => {
        ofSlices[k] = (ofSlices[k] as number) + Number(certificate.slices >= K);
      });
      touched.forEach(({ sets }, k) => {
        ofPatches[k] = (ofPatches[k] as number) + Number(sets.every((set) => certificate.holds(set)));
      });
    }
    for (const attack of attacks) await holdAgainst(attack, { start, images: batch.images, certificates }, subject, map);
    await ctx.checkpoint({ phase: "Certifying", done: end, total: clean.n });
  }
  return {
    n: clean.n,
    slices: wanted.slices.map((K, k) => ({ slices: K, correct: K > slices.count ? null : (ofSlices[k] as number) })),
    patches: touched.map(({ side, sets }, k) => ({
      side,
      touches: Math.max(...sets.map((set) => set.length)),
      correct: ofPatches[k] as number,
    })),
    images,
  };
}

/**
 * Noise in one slice of each image changes the scores of slices that share no pixel with it. The network's layers say already that this
 * cannot be; a proof is worth the trial.
 */
async function areDependent(model: Classifier, slices: SliceSource, images: Float32Array, ctx: RunContext): Promise<boolean> {
  const [height, width, channels] = model.inputShape;
  const map = sliceMap(model.inputShape, slices);
  const pixels = height * width * channels;
  const n = images.length / pixels;
  const noise = ctx.rng.stream("noise").uniforms(pixels);
  const changed = images.slice();
  const touched = Array.from({ length: n }, (_, i) => {
    const reached = new Set<number>();
    for (let at = 0; at < pixels; at++) {
      const pixel = Math.floor(at / channels);
      const shown = map.at(Math.floor(pixel / width), pixel % width);
      if (!shown.includes(i % slices.count)) continue;
      changed[i * pixels + at] = noise[at] as number;
      for (const slice of shown) reached.add(slice);
    }
    return reached;
  });
  const { most } = batchSizeFor(model, "forward");
  const [before, after] = [await rasterLogits(model, slices, images, most), await rasterLogits(model, slices, changed, most)];
  const k = before.length / (n * slices.count);
  return touched.some((reached, i) =>
    Array.from({ length: slices.count }, (_, slice) => slice).some((slice) => {
      const start = (i * slices.count + slice) * k;
      const [own, other] = [before, after].map((logits) => softmax(logits.subarray(start, start + k)));
      return !reached.has(slice) && own?.some((p, j) => Math.abs(p - (other?.[j] as number)) > rounding);
    }),
  );
}

/** Scores of the slices of some images, [n·Z·k], the slices in raster order whatever their order in the volume. */
async function rasterLogits(model: Classifier, slices: SliceSource, images: Float32Array, most: number): Promise<Float32Array> {
  const pixels = model.inputShape.reduce((a, b) => a * b, 1);
  const parts = await inParts(images.length / pixels, most, model.evaluations, async (start, end) => {
    const x: Images = tf.tensor4d(images.slice(start * pixels, end * pixels), [end - start, ...model.inputShape]);
    try {
      const ordered = await valuesOf(slices.logits(x));
      const order = slices.order(x);
      const k = ordered.length / order.length;
      const raster = new Float32Array(ordered.length);
      order.forEach((index, at) => {
        const image = Math.floor(at / slices.count) * slices.count;
        raster.set(ordered.subarray(at * k, (at + 1) * k), (image + index) * k);
      });
      return raster;
    } finally {
      x.dispose();
    }
  });
  return inOneRow(parts);
}

interface Certified {
  /** Index of the first of the images. */
  readonly start: number;
  readonly images: Float32Array;
  readonly certificates: readonly Certificate[];
}

async function holdAgainst(
  { key, records, summary }: AnalysedAttack,
  { start, images, certificates }: Certified,
  subject: AnalysisSubject,
  map: ReturnType<typeof sliceMap>,
): Promise<void> {
  const end = Math.min(start + certificates.length, records.length);
  if (end <= start) return;
  const { images: attacked } = await subject.images(key).read(start, end);
  const pixels = attacked.length / (end - start);
  const [, width, channels] = subject.model.inputShape;
  for (let i = 0; i < end - start; i++) {
    const record = records[start + i] as ImageRecord;
    if (record.prediction === record.cleanPrediction) continue;
    const changed = new Set<number>();
    for (let at = 0; at < pixels; at++) {
      if (attacked[i * pixels + at] === images[i * pixels + at]) continue;
      const pixel = Math.floor(at / channels);
      for (const slice of map.at(Math.floor(pixel / width), pixel % width)) changed.add(slice);
    }
    if ((certificates[i] as Certificate).holds(changed)) throw refuted(record, changed.size, summary.label ?? key);
  }
}

const refuted = ({ index, cleanPrediction, prediction }: ImageRecord, slices: number, attack: string): Error =>
  new Error(
    `A certificate is wrong: the class of image ${index} was proven to withstand any content of the ${slices} slices that ${attack} changed, and it went from ${cleanPrediction} to ${prediction}. This is a fault of Bulwark: please report it with the log.`,
  );
