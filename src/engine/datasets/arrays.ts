import { Type } from "@sinclair/typebox";
import { BulwarkError } from "../../shared/errors.ts";
import { choice, type DatasetSpec, defineDataset, file, int, num } from "../define/index.ts";
import { type Npz, openNpz, type StoredArray } from "../io/npz.ts";
import { type Pair, pairsIn } from "./arrayNames.ts";
import { firstLabel } from "./firstLabel.ts";
import { requiredPath } from "./locate.ts";
import { datasetOf, numbered } from "./source.ts";
import { splitByShare } from "./split.ts";
import { splitOf, type Table, tableOf } from "./table.ts";

const params = Type.Object({
  path: file(
    "A .npz file with images [n,H,W,C], floats in [0,1], bool or uint8, and labels [n] or one-hot [n,k]; or the adversarial.npz of a run of Bulwark.",
  ),
  which: choice(["adversarial", "clean"], "adversarial", "Which images of an adversarial.npz are meant; other files have one kind."),
  classes: int(0, "Number of classes; 0 = as many as the labels say.", {
    min: 0,
    standIn: { words: "as many as the labels say", first: 10 },
  }),
  firstLabel,
  testShare: num(1, "Share of the images that is for testing, where the file does not tell.", { min: 0, max: 1 }),
});

const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

/**
 * Arrays named as `pairsIn` lists, such as `images` and `labels`, or what an attack on a data set left. Images are read from disk as
 * they are wanted where the file stores them uncompressed; else they are held in memory.
 */
export const arrays: DatasetSpec = defineDataset({
  id: "arrays",
  title: "numpy arrays (.npz)",
  paper: "",
  params,
  async load({ path: given, which, classes, firstLabel: first, testShare }) {
    const path = requiredPath("arrays", given);
    if (/\.npy$/i.test(path))
      throw new BulwarkError(
        "DATASET_INVALID",
        `${path} holds one array, and a data set has images and labels.`,
        "Save both in one file with numpy.savez(file, images=…, labels=…).",
      );
    const npz = await openNpz(path);
    try {
      const pairs = pairsIn([...npz.arrays.keys(), ...npz.unreadable.keys()], which, path);
      refuseClassNames(npz, path);
      const table = (pair: Pair | undefined) => pair && tableIn(npz, pair, path);
      const all = "all" in pairs ? await table(pairs.all) : undefined;
      const train = all ?? ("train" in pairs ? await table(pairs.train) : undefined);
      const test = all ?? ("test" in pairs ? await table(pairs.test) : undefined);
      const inputShape = shapeOf(train, test, path);
      const rows = all
        ? splitByShare(all.labels, testShare)
        : { train: range(train?.labels.length ?? 0), test: range(test?.labels.length ?? 0) };
      const splits = { ...(train ? { train: splitOf(train, rows.train) } : {}), ...(test ? { test: splitOf(test, rows.test) } : {}) };
      const largest = [train, test].flatMap((t) => t?.labels.reduce((a, b) => Math.max(a, b), -1) ?? -1);
      const predicted = await largestOf(npz.arrays.get("prediction"));
      const classNames = numbered(classes > 0 ? classes + first : Math.max(0, predicted, ...largest) + 1);
      const dataset = await datasetOf({ kind: "arrays", path, inputShape, classNames, splits, firstLabel: first });
      return { ...dataset, close: () => npz.close() };
    } catch (thrown) {
      await npz.close();
      throw thrown;
    }
  },
});

/** Names of classes in a file may be in another order than the model's, and labels mean something else then. @throws DATASET_INVALID */
function refuseClassNames({ unreadable }: Npz, path: string): void {
  const name = [...unreadable.keys()].find((one) => /class|categor|names/i.test(one));
  if (name === undefined) return;
  throw new BulwarkError(
    "DATASET_INVALID",
    `The array ${name} of ${path} seems to name the classes, and such names are not read.`,
    "Save the file without it, with labels that count the classes as the model does.",
  );
}

/** @throws DATASET_INVALID for arrays that cannot be read, or are no images and labels */
async function tableIn({ arrays: found, unreadable }: Npz, { images, labels }: Pair, path: string): Promise<Table | undefined> {
  const refused = unreadable.get(images) ?? unreadable.get(labels);
  if (refused) throw refused;
  const [x, y] = [found.get(images), found.get(labels)];
  return x && y ? tableOf(x, y, path) : undefined;
}

/** The classes that a model predicted belong to the data set as well, in a file of Bulwark's own. */
async function largestOf(prediction: StoredArray | undefined): Promise<number> {
  const values = prediction?.type === "int" ? await prediction.read(0, prediction.shape[0] ?? 0) : [];
  return Array.from(values).reduce((a, b) => Math.max(a, b), -1);
}

function shapeOf(train: Table | undefined, test: Table | undefined, path: string): Table["shape"] {
  const shape = (test ?? train)?.shape ?? [0, 0, 1];
  if (train && test && train.shape.join() !== test.shape.join())
    throw new BulwarkError(
      "DATASET_INVALID",
      `${path} has training images of ${train.shape.join("×")} and test images of ${test.shape.join("×")}.`,
      "Save both in one size.",
    );
  return shape;
}
