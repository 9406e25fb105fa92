import { BulwarkError } from "../../../shared/errors.ts";
import { reasonOf } from "../../backends/onnxruntime/reason.ts";
import { openReference, type Reference } from "../../backends/onnxruntime/reference.ts";
import { runNetwork } from "../../classifier/graph.ts";
import { networkInput } from "../../classifier/input.ts";
import { createRandom } from "../../random.ts";
import { type Images, tf, type tfl } from "../../tf.ts";
import type { Checked, Compare, Comparison, Watch } from "../modelFile.ts";
import type { Ending } from "../topology/ending.ts";
import { firstDifference } from "./difference.ts";
import { areFinite, type Feed, NotRun, percent, runOn, worst } from "./feed.ts";
import { type ImageInput, isTooManyAtOnce } from "./input.ts";
import type { Lowered } from "./lowered.ts";
import { weightless } from "./mapped.ts";

/** An imported model to compare with its file. */
export interface Imported extends Checked {
  readonly file: string;
  readonly lowered: Lowered;
  readonly image: ImageInput;
  /** Names of the file's input and output. */
  readonly input: string;
  readonly output: string;
  /** All weights are in the file itself. */
  readonly isWhole: boolean;
  /** It opens with its weights left in the file. */
  readonly isLarge: boolean;
  /** The file has 16-bit weights, which are computed in 32 bits here. */
  readonly isHalf: boolean;
  /** The file rounds to integers: a number close to halfway between two may become either. */
  readonly isQuantised: boolean;
}

/** Limits of the largest difference relative to the largest score: up to `good` passes, up to `said` (`half` for 16 bits, `quantised` for integers) gives a note, more is an error. */
const limits = { good: 1e-4, said: 1e-3, half: 1e-2, quantised: 0.1 };
const images = 4;

/**
 * Has ONNX Runtime score four images, two of noise, one of waves, one grey, one by one. The result compares the scores of a network that
 * takes them as one batch, so that any influence between images of a batch shows. Nothing of the file is in memory in between.
 * @throws MODEL_NAN if ONNX Runtime's scores are no numbers; MODEL_MISMATCH, from the comparison, naming the first layer that differs
 */
export async function checkImport({ sides, alpha, ...o }: Imported, watch?: Watch): Promise<Compare> {
  const type = typeOf(o);
  if (!type) return notCompared("as its input type is not supported for this");
  if (isTooManyAtOnce(o.image)) return notCompared(`as the file takes ${o.image.fixedCount} images at once`);
  const reference = await opened(o);
  if (typeof reference === "string") return notCompared(reference);
  const inputs = tf.tidy(() => {
    const given = networkInput(pictures(sides), o.contract) as Images;
    return type === "uint8" ? tf.round(given) : given;
  });
  const feed: Feed = { type, alpha, ...o };
  try {
    const theirs = await scoresOf(reference, inputs, feed, watch);
    if (numbered(theirs) === 0) throw notNumbers(o.file);
    const [values, shape] = [(await inputs.data()) as Float32Array, inputs.shape];
    return async (network) => {
      const x = tf.tensor(values, shape);
      try {
        return await compared(network, x, theirs, { ...o, feed });
      } finally {
        x.dispose();
      }
    };
  } catch (error) {
    if (error instanceof NotRun) return notCompared(`which does not run the file: ${error.message}`);
    throw error;
  } finally {
    inputs.dispose();
    await reference.close();
  }
}

async function compared(
  network: tfl.LayersModel,
  inputs: tf.Tensor,
  theirs: Float32Array,
  { feed, ...o }: Omit<Imported, "sides" | "alpha"> & { readonly feed: Feed },
): Promise<Comparison> {
  const scores = tf.tidy(() => ended(runNetwork(network, inputs), o.ending));
  const ours = (await scores.data()) as Float32Array;
  scores.dispose();
  const difference = worst(ours, theirs, images);
  const without = images - numbered(theirs);
  const notes = without === 0 ? [] : [`for ${without} of ${images} made-up images its scores are no numbers, in ONNX Runtime neither`];
  const limit = o.isQuantised ? limits.quantised : o.isHalf ? limits.half : limits.said;
  if (difference <= limits.good) return { difference, notes };
  if (difference <= limit)
    return { difference, notes: [...notes, `its scores differ from ONNX Runtime's by ${percent(difference)} of the largest`] };
  const place = o.isWhole ? await firstDifference(network, inputs, { ...o, ...feed }) : undefined;
  const counts =
    ours.length === theirs.length ? "only one of the two gives finite scores" : `${ours.length} scores instead of ${theirs.length}`;
  throw mismatch(o.file, Number.isFinite(difference) ? `${percent(difference)} of the largest score apart` : counts, place);
}

/** Number of images whose scores are all finite. */
const numbered = (scores: Float32Array): number =>
  Array.from({ length: images }, (_, i) => areFinite(scores, i, images)).filter(Boolean).length;

const notNumbers = (file: string): BulwarkError =>
  new BulwarkError(
    "MODEL_NAN",
    `${file} gives NaN or infinite scores, in ONNX Runtime too: the network itself overflows or divides by 0.`,
    "Train it again, with a smaller learning rate, or use an earlier checkpoint. If its weights are right, check its input contract.",
  );

function mismatch(file: string, apart: string, place: string | undefined): BulwarkError {
  return new BulwarkError(
    "MODEL_MISMATCH",
    `${file} does not compute here what ONNX Runtime computes: ${apart}${place ? `, first at ${place}` : ""}.`,
    'Report this, with the file. Meanwhile the input contract {"input": {}, "forwardOnly": true} gives ONNX Runtime\'s own scores, without gradients.',
  );
}

/** ONNX Runtime's name for the file's input type. */
function typeOf({ image }: Pick<Imported, "image">): "float32" | "float64" | "uint8" | undefined {
  return image.isBytes ? "uint8" : image.type === 11 ? "float64" : image.type === 1 ? "float32" : undefined;
}

const notCompared =
  (why: string): Compare =>
  async () => ({ difference: null, notes: [`its scores were not compared with ONNX Runtime's, ${why}`] });

async function opened({ file, isLarge, isWhole }: Pick<Imported, "file" | "isLarge" | "isWhole">): Promise<Reference | string> {
  try {
    return (await openReference(isLarge && isWhole ? weightless(file) : file)) ?? "which is not installed";
  } catch (error) {
    return `which rejects the file: ${reasonOf(error)}`;
  }
}

/** [4,H,W,C] in [0,1]. */
const pictures = (sides: readonly [number, number, number]): Images => tf.tensor4d(pictureNumbers(sides, images), [images, ...sides]);

/** Numbers of up to four pictures [H,W,C] in [0,1], the same for every model of that size: two of noise, one of waves, one grey. */
export function pictureNumbers([height, width, channels]: readonly [number, number, number], some: number): Float32Array {
  const count = height * width * channels;
  const random = createRandom("import");
  const waves = Array.from({ length: 5 }, () => ({
    x: random.uniform(-8, 8) / width,
    y: random.uniform(-8, 8) / height,
    phase: random.uniform(0, 2 * Math.PI),
    colour: random.uniforms(channels, -0.1, 0.1),
  }));
  const smooth = Float32Array.from({ length: count }, (_, i) => {
    const [c, x, y] = [i % channels, Math.floor(i / channels) % width, Math.floor(i / channels / width)];
    return waves.reduce(
      (sum, wave) => sum + (wave.colour[c] as number) * Math.cos(2 * Math.PI * (wave.x * x + wave.y * y) + wave.phase),
      0.5,
    );
  });
  const all = new Float32Array(images * count);
  all.set(random.uniforms(count), 0);
  all.set(random.uniforms(count), count);
  all.set(smooth, 2 * count);
  all.fill(0.5, 3 * count);
  return all.subarray(0, some * count);
}

/** Puts the removed softmax or sigmoid back. */
function ended(scores: tf.Tensor, { removed, kind }: Ending): tf.Tensor {
  if (!removed) return scores;
  return kind === "sigmoid" ? tf.sigmoid(scores) : tf.softmax(scores);
}

/** The file's scores for each image, one image at a time. @throws NotRun */
async function scoresOf(reference: Reference, inputs: tf.Tensor, o: Feed, watch?: Watch): Promise<Float32Array> {
  const results: number[] = [];
  for (let i = 0; i < images; i++) {
    await watch?.({ stage: "scores", share: i / (images + 1) });
    const { [o.output]: scores } = await runOn(reference, inputs, i, o);
    const own = scores ? scores.data.length / (o.image.fixedCount ?? 1) : 0;
    for (let k = 0; k < own; k++) results.push(Number(scores?.data[k]));
  }
  return Float32Array.from(results);
}
