import { asBulwarkError, BulwarkError } from "../../shared/errors.ts";
import { createRandom } from "../random.ts";
import { type Images, tf } from "../tf.ts";
import type { Classifier, FrontDefense } from "./classifier.ts";

/** Rounding may leave a value a hair outside. */
const tolerance = 1e-6;

/**
 * Tries a chain of transformations on a black, a white and a noisy image, before anything is computed: call it wherever a defended model is
 * opened, and before an arm is trained.
 * @throws DEFENSE_INVALID for another shape, NaN or values outside [0,1]
 */
export async function checkDefenses(front: readonly FrontDefense[], inputShape: Classifier["inputShape"]): Promise<void> {
  if (front.length === 0) return;
  let x = trialImages(inputShape);
  try {
    for (const defense of front) x = (await passedThrough(defense, x, "a trial image")).images;
  } finally {
    x.dispose();
  }
}

/**
 * Output of a defence for images [b,H,W,C], checked, as a tensor and as values. Disposes of `x` on success.
 * @param of what `x` is, for messages: "a trial image"
 * @throws DEFENSE_INVALID for another shape, NaN or values outside [0,1]
 */
export async function passedThrough(
  defense: FrontDefense,
  x: Images,
  of: string,
): Promise<{ readonly images: Images; readonly values: Float32Array }> {
  const images = applied(defense, x, of);
  try {
    const values = Float32Array.from(await images.data());
    checkValues(defense, values, of);
    if (images !== x) x.dispose();
    return { images, values };
  } catch (thrown) {
    if (images !== x) images.dispose();
    throw thrown;
  }
}

function applied(defense: FrontDefense, x: Images, of: string): Images {
  try {
    return tf.tidy(() => defense.transform(x));
  } catch (thrown) {
    if (asBulwarkError(thrown)) throw thrown;
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    throw new BulwarkError("DEFENSE_INVALID", `The defence ${defense.id} failed on ${of}: ${message}`, "Correct its transform.", {
      cause: thrown,
    });
  }
}

function checkValues({ id }: FrontDefense, values: Float32Array, of: string): void {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    if (Number.isNaN(value))
      throw new BulwarkError("DEFENSE_INVALID", `The defence ${id} returned NaN for ${of}.`, "Correct its transform.");
    if (value < low) low = value;
    if (value > high) high = value;
  }
  if (low < -tolerance || high > 1 + tolerance)
    throw new BulwarkError(
      "DEFENSE_INVALID",
      `The defence ${id} returned values from ${rounded(low)} to ${rounded(high)} for ${of}, outside [0,1].`,
      "Scale or clip what its transform returns.",
    );
}

const rounded = (value: number): string => String(Number(value.toPrecision(3)));

/** Black, white and uniform noise: a transformation that goes wrong at an end or in between shows it. */
function trialImages([height, width, channels]: Classifier["inputShape"]): Images {
  const size = height * width * channels;
  const pixels = new Float32Array(3 * size);
  pixels.fill(1, size, 2 * size);
  pixels.set(createRandom("trial").uniforms(size), 2 * size);
  return tf.tensor4d(pixels, [3, height, width, channels]);
}
