import { reasonOf } from "../../backends/onnxruntime/reason.ts";
import type { Reference } from "../../backends/onnxruntime/reference.ts";
import { tf } from "../../tf.ts";
import type { ImageInput } from "./input.ts";

/** How the network's images are fed to the file. */
export interface Feed {
  readonly image: ImageInput;
  /** Name of the file's input that takes the images. */
  readonly input: string;
  /** Name of the file's output. */
  readonly output: string;
  readonly type: "float32" | "float64" | "uint8";
  /** Value of the fourth channel, which the file takes and the network adds itself. */
  readonly alpha: number | undefined;
}

/** ONNX Runtime has opened a file, and does not run it. */
export class NotRun extends Error {}

/** All outputs of the file for one image, repeated if the file has a fixed batch size. @throws NotRun */
export async function runOn(
  reference: Reference,
  inputs: tf.Tensor,
  index: number,
  { image, input, type, alpha }: Feed,
): ReturnType<Reference["run"]> {
  const one = tf.tidy(() => {
    const picture = tf.slice(inputs, [index, 0, 0, 0], [1, -1, -1, -1]);
    const [, height = 1, width = 1] = picture.shape;
    const whole = alpha === undefined ? picture : tf.concat([picture, tf.fill([1, height, width, 1], alpha)], 3);
    const ordered = image.isChannelsFirst ? tf.transpose(whole, [0, 3, 1, 2]) : whole;
    return tf.tile(ordered, [image.fixedCount ?? 1, 1, 1, 1]);
  });
  const values = await one.data();
  const data = type === "uint8" ? Uint8Array.from(values) : type === "float64" ? Float64Array.from(values) : Float32Array.from(values);
  const { shape: dims } = one;
  one.dispose();
  try {
    return await reference.run({ name: input, type, data, dims });
  } catch (error) {
    throw new NotRun(reasonOf(error), { cause: error });
  }
}

/** Whether all numbers of an image are finite. @param count of images that the numbers are for */
export function areFinite(numbers: ArrayLike<number>, image: number, count: number): boolean {
  const each = numbers.length / count;
  for (let k = image * each; k < (image + 1) * each; k++) if (!Number.isFinite(numbers[k])) return false;
  return true;
}

/** The largest max|a − b|/max|b| over the images. Those that neither has finite numbers for are left out; infinite if one of the two has. */
export function worst(ours: ArrayLike<number>, theirs: ArrayLike<number>, count: number): number {
  if (ours.length !== theirs.length) return Number.POSITIVE_INFINITY;
  const each = ours.length / count;
  let largest = 0;
  for (let i = 0; i < count; i++) {
    const [isOurs, isTheirs] = [areFinite(ours, i, count), areFinite(theirs, i, count)];
    if (isOurs !== isTheirs) return Number.POSITIVE_INFINITY;
    if (!isOurs) continue;
    let [difference, size] = [0, 0];
    for (let k = i * each; k < (i + 1) * each; k++) {
      difference = Math.max(difference, Math.abs((ours[k] as number) - (theirs[k] as number)));
      size = Math.max(size, Math.abs(theirs[k] as number));
    }
    largest = Math.max(largest, difference / (size + 1e-6));
  }
  return largest;
}

/** A fraction as a percentage. */
export const percent = (share: number): string => `${(100 * share).toPrecision(2)} %`;
