import type { PngOptions } from "../io/decode.ts";
import type { NpyArray } from "../io/npz.ts";
import { writeNpz } from "../io/npz.ts";
import { writePng } from "../io/png.ts";
import { toBytes } from "../pixels.ts";

type Chunks = Iterable<Float32Array> | AsyncIterable<Float32Array>;

/** An attack's images as the contract keeps them; pixels come in chunks of whole images, in order. */
export interface AdversarialImages {
  readonly n: number;
  readonly inputShape: readonly [height: number, width: number, channels: number];
  clean(): Chunks;
  adversarial(): Chunks;
  readonly label: Int32Array;
  readonly prediction: Int32Array;
}

/** `adversarial*.npz`: float32 `clean` and `adversarial` [n,H,W,C] in [0,1], int32 `label` and `prediction` [n]. */
export async function writeAdversarial(
  file: string,
  { n, inputShape, clean, adversarial, label, prediction }: AdversarialImages,
): Promise<void> {
  const images = (chunks: () => Chunks) => ({ type: "float32", shape: [n, ...inputShape], chunks }) as const;
  const numbers = (data: Int32Array): NpyArray => ({ data, shape: [n] });
  await writeNpz(file, { clean: images(clean), adversarial: images(adversarial), label: numbers(label), prediction: numbers(prediction) });
}

/** Image `index` of [n,H,W,C] floats as a PNG of its own size. */
export async function writePicture(
  file: string,
  images: Float32Array,
  index: number,
  [height, width, channels]: readonly [number, number, number],
  options: PngOptions = {},
): Promise<void> {
  const size = height * width * channels;
  await writePng(file, toBytes(images.subarray(index * size, (index + 1) * size)), height, width, channels === 1 ? 1 : 3, options);
}
