import { BulwarkError } from "../../shared/errors.ts";
import type { ImageIdentity } from "../define/index.ts";
import type { StoredArray } from "../io/npz.ts";
import { fromBytes } from "../pixels.ts";
import { checkValues } from "./arrayValues.ts";
import { floatIdentity, pixelIdentity } from "./identity.ts";
import type { SplitSource } from "./source.ts";

/** Images with their labels in a `.npz`. */
export interface Table {
  readonly images: StoredArray;
  readonly labels: Int32Array;
  readonly shape: readonly [height: number, width: number, channels: number];
}

const invalid = (message: string, fix: string): BulwarkError => new BulwarkError("DATASET_INVALID", message, fix);
/**
 * Checks a pair of arrays. Images [n,H,W,C] or [n,H,W], uint8, bool or floats in [0,1], which are read once for that; labels [n] or [n,1],
 * whole numbers, or one-hot [n,k]. @throws DATASET_INVALID, LABEL_RANGE
 */
export async function tableOf(images: StoredArray, labels: StoredArray, name: string): Promise<Table> {
  const [, height = 0, width = 0, channels = 1] = images.shape;
  const [, first = 0, , last = 0] = images.shape;
  if (images.shape.length === 4 && (first === 1 || first === 3) && last > 4)
    throw invalid(
      `The images of ${name} have their channels first: [${images.shape.join(", ")}].`,
      "Save them as images.transpose(0, 2, 3, 1).",
    );
  if (images.shape.length < 3 || images.shape.length > 4 || (channels !== 1 && channels !== 3))
    throw invalid(
      `The images of ${name} have shape [${images.shape.join(", ")}].`,
      "Save them as [n, height, width, channels] with 1 or 3 channels.",
    );
  const indices = await indicesOf(labels, images.shape, name);
  await checkValues(images, name);
  return { images, labels: indices, shape: [height, width, channels] };
}

/** More classes than this are no classes. */
const mostClasses = 1_000_000;

async function indicesOf(labels: StoredArray, imageShape: readonly number[], name: string): Promise<Int32Array> {
  const [n = 0] = imageShape;
  const [rows = 1, columns = 1] = labels.shape; // a label alone has no axis
  const count = labels.shape.reduce((a, b) => a * b, 1);
  const isOneHot = labels.shape.length === 2 && rows === n && columns > 1;
  if (count === 1 && imageShape.length === 3 && (imageShape[2] === 1 || imageShape[2] === 3))
    throw invalid(
      `${name} has a single image of shape [${imageShape.join(", ")}].`,
      "Save it as images[None], of shape [1, height, width, channels].",
    );
  if (!isOneHot && count !== n) throw invalid(`${name} has ${n} images but ${count} labels.`, "Save one label per image.");
  const values = await labels.read(0, rows);
  if (isOneHot) return fromOneHot(values, n, columns, name);
  const wrong = values.findIndex((label) => !Number.isInteger(label) || label < 0 || label >= mostClasses);
  if (wrong >= 0)
    throw new BulwarkError(
      "LABEL_RANGE",
      `Image ${wrong} of ${name} has label ${values[wrong]}, which is no class index.`,
      "Save whole numbers that count the classes from 0.",
    );
  return Int32Array.from(values);
}

/** Class indices of rows that have a 1 in the place of the class and 0 in all others. */
function fromOneHot(values: ArrayLike<number>, n: number, k: number, name: string): Int32Array {
  return Int32Array.from({ length: n }, (_, i) => {
    const row = Array.from({ length: k }, (_value, j) => values[i * k + j] as number);
    const label = row.indexOf(1);
    if (label < 0 || row.some((value, j) => value !== (j === label ? 1 : 0)))
      throw new BulwarkError(
        "LABEL_RANGE",
        `Image ${i} of ${name} has ${k} label values that do not mark one class.`,
        "Save class indices [n], or one-hot rows of 0 and a single 1.",
      );
    return label;
  });
}

/** The rows `rows` of a table as one split. */
export function splitOf({ images, labels, shape }: Table, rows: readonly number[]): SplitSource {
  const size = shape[0] * shape[1] * shape[2];
  /** The values of rows that lie beside each other, with the place of the first of them in `indices`. */
  async function* runs(indices: ArrayLike<number>) {
    for (let place = 0; place < indices.length; ) {
      const first = rows[indices[place] as number] as number;
      let next = place + 1;
      while (next < indices.length && rows[indices[next] as number] === first + next - place) next++;
      yield { place, values: await images.read(first, first + next - place) };
      place = next;
    }
  }
  return {
    labels: Int32Array.from(rows, (row) => labels[row] as number),
    async read(indices, out) {
      for await (const { place, values } of runs(indices)) {
        if (values instanceof Uint8Array) fromBytes(values, out, place * size);
        else out.set(values, place * size);
      }
    },
    async identify(indices) {
      const found: ImageIdentity[] = [];
      for await (const { values } of runs(indices))
        for (let at = 0; at < values.length; at += size) {
          const image = values.subarray(at, at + size);
          found.push({ id: image instanceof Uint8Array ? pixelIdentity(image, shape) : floatIdentity(Float32Array.from(image), shape) });
        }
      return found;
    },
    close: async () => undefined,
  };
}
