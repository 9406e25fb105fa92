import { Type } from "@sinclair/typebox";
import { BulwarkError } from "../../shared/errors.ts";
import { type DatasetSpec, defineDataset, file, int, num } from "../define/index.ts";
import { type NpyRead, readNpz } from "../io/npz.ts";
import { fromBytes } from "../pixels.ts";
import { requiredPath } from "./locate.ts";
import { datasetOf, numbered, type SplitSource } from "./source.ts";
import { splitByShare } from "./split.ts";

type Shape = readonly [height: number, width: number, channels: number];
interface Table {
  readonly images: NpyRead;
  readonly labels: Int32Array;
  readonly shape: Shape;
}

const invalid = (message: string, fix: string): BulwarkError => new BulwarkError("DATASET_INVALID", message, fix);

/** Checks one pair of arrays. Images [n,H,W,C] or [n,H,W], uint8 or floats in [0,1]; labels [n] or [n,1], whole numbers. */
function tableOf(images: NpyRead, labels: NpyRead, name: string): Table {
  const [n = 0, height = 0, width = 0, channels = 1] = images.shape;
  if (images.shape.length < 3 || images.shape.length > 4 || (channels !== 1 && channels !== 3)) {
    throw invalid(
      `The images of ${name} have shape [${images.shape.join(", ")}].`,
      "Save them as [n, height, width, channels] with 1 or 3 channels.",
    );
  }
  if (images.type === "int")
    throw invalid(`The images of ${name} are whole numbers of another type than uint8.`, "Save them as uint8 or float32.");
  if (labels.data.length !== n) throw invalid(`${name} has ${n} images but ${labels.data.length} labels.`, "Save one label per image.");
  if (labels.data.some((label) => !Number.isInteger(label)))
    throw invalid(`The labels of ${name} are not whole numbers.`, "Save class indices.");
  if (images.type === "float") {
    const wrong = images.data.findIndex((value) => !(value >= 0 && value <= 1));
    if (wrong >= 0) {
      const place = Math.floor(wrong / (height * width * channels));
      throw invalid(
        `Image ${place} of ${name} has the value ${images.data[wrong]}, outside [0,1].`,
        "Divide by 255, or save the bytes as uint8.",
      );
    }
  }
  return { images, labels: Int32Array.from(labels.data), shape: [height, width, channels] };
}

/** The rows `rows` of a table as one split. */
function splitOf({ images, labels, shape }: Table, rows: readonly number[]): SplitSource {
  const size = shape[0] * shape[1] * shape[2];
  return {
    labels: Int32Array.from(rows, (row) => labels[row] as number),
    async read(indices, out) {
      for (let place = 0; place < indices.length; place++) {
        const first = (rows[indices[place] as number] as number) * size;
        const image = images.data.subarray(first, first + size);
        if (image instanceof Uint8Array) fromBytes(image, out, place * size);
        else out.set(image, place * size);
      }
    },
    close: async () => undefined,
  };
}

const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

/** Arrays named `images` and `labels`, or `x_train`, `y_train`, `x_test`, `y_test` as Keras ships them. Held in memory. */
export const arrays: DatasetSpec = defineDataset({
  id: "arrays",
  title: "numpy arrays (.npz)",
  paper: "",
  params: Type.Object({
    path: file("A .npz file with images [n,H,W,C], float32 in [0,1] or uint8, and whole-number labels [n]."),
    classes: int(0, "Number of classes; 0 = one more than the largest label.", { min: 0 }),
    testShare: num(1, "Share of the images used for testing, where the file does not say.", { min: 0, max: 1 }),
  }),
  async load({ path: given, classes, testShare }) {
    const file = requiredPath("arrays", given);
    const found = await readNpz(file);
    const table = (images: string, labels: string): Table | undefined => {
      const x = found[images];
      const y = found[labels];
      return x && y ? tableOf(x, y, file) : undefined;
    };
    const all = table("images", "labels");
    const train = all ?? table("x_train", "y_train");
    const test = all ?? table("x_test", "y_test");
    const shape = (test ?? train)?.shape;
    if (!shape) {
      throw invalid(
        `${file} has no arrays "images" and "labels", only ${Object.keys(found).join(", ") || "none"}.`,
        "Save it with numpy.savez(file, images=…, labels=…).",
      );
    }
    if (train && test && train.shape.join() !== test.shape.join())
      throw invalid(
        `${file} has training images of ${train.shape.join("×")} and test images of ${test.shape.join("×")}.`,
        "Save both in one size.",
      );
    const rows = all
      ? splitByShare(all.labels, testShare)
      : { train: range(train?.labels.length ?? 0), test: range(test?.labels.length ?? 0) };
    const splits = { ...(train ? { train: splitOf(train, rows.train) } : {}), ...(test ? { test: splitOf(test, rows.test) } : {}) };
    const largest = Math.max(-1, ...[train, test].map((t) => t?.labels.reduce((a, b) => Math.max(a, b), -1) ?? -1));
    const classNames = numbered(classes || Math.max(1, largest + 1));
    return datasetOf({ kind: "arrays", path: file, inputShape: shape, classNames, splits });
  },
});
