import path from "node:path";
import { Type } from "@sinclair/typebox";
import { BulwarkError } from "../../shared/errors.ts";
import { type Dataset, type DatasetSpec, defineDataset, file } from "../define/index.ts";
import { openIdxSplit } from "./idx.ts";
import { folderWith, listFolder, requiredPath } from "./locate.ts";
import { datasetOf, numbered } from "./source.ts";

const imagesFile = /^(train|t10k)-images[-.]idx3-ubyte(\.gz)?$/;
const pathParameter = { path: file("Folder of the four IDX files, plain or gzipped.") };

/**
 * Opens `train-images-idx3-ubyte`, `train-labels-idx1-ubyte`, `t10k-…` (or `train-images.idx3-ubyte` …), each plain or `.gz`, in
 * `folder` or in its `data/`, `raw/`, `MNIST/raw/` or `FashionMNIST/raw/`. One split alone is enough.
 */
async function openIdxFolder(kind: string, given: string, classNames: readonly string[]): Promise<Dataset> {
  const folder = await folderWith(requiredPath(kind, given), ["data", "raw", "MNIST/raw", "FashionMNIST/raw"], imagesFile, kind);
  const names = await listFolder(folder);
  const open = async (prefix: string) => {
    const images = names.find((name) => name.startsWith(prefix) && imagesFile.test(name));
    if (!images) return undefined;
    const labels = names.find((name) => new RegExp(`^${prefix}-labels[-.]idx1-ubyte(\\.gz)?$`).test(name));
    if (!labels) {
      throw new BulwarkError(
        "FILE_NOT_FOUND",
        `${folder} holds ${images} but no ${prefix}-labels-idx1-ubyte.`,
        "Put the label file beside the images.",
      );
    }
    return openIdxSplit(path.join(folder, images), path.join(folder, labels));
  };
  const train = await open("train");
  const test = await open("t10k");
  const [height, width] = (train ?? test)?.size ?? [28, 28];
  if (train && test && (train.size[0] !== test.size[0] || train.size[1] !== test.size[1])) {
    await Promise.all([train.close(), test.close()]);
    throw new BulwarkError(
      "DATASET_INVALID",
      `In ${folder} the training images are ${train.size.join("×")} and the test images ${test.size.join("×")}.`,
      "Use files of one data set.",
    );
  }
  const splits = { ...(train ? { train } : {}), ...(test ? { test } : {}) };
  return datasetOf({ kind, path: folder, inputShape: [height, width, 1], classNames, splits });
}

/** LeCun, Cortes & Burges: 60,000 + 10,000 handwritten digits, 28×28 grayscale. */
export const mnist: DatasetSpec = defineDataset({
  id: "mnist",
  title: "MNIST",
  paper: "LeCun et al. 1998",
  params: Type.Object(pathParameter),
  load: ({ path: folder }) => openIdxFolder("mnist", folder, numbered(10)),
});

/** 60,000 + 10,000 articles of clothing, 28×28 grayscale. */
export const fashionMnist: DatasetSpec = defineDataset({
  id: "fashionMnist",
  title: "Fashion-MNIST",
  paper: "Xiao et al. 2017",
  params: Type.Object(pathParameter),
  load: ({ path: folder }) =>
    openIdxFolder("fashionMnist", folder, [
      "T-shirt/top",
      "Trouser",
      "Pullover",
      "Dress",
      "Coat",
      "Sandal",
      "Shirt",
      "Sneaker",
      "Bag",
      "Ankle boot",
    ]),
});
