import path from "node:path";
import { Type } from "@sinclair/typebox";
import { BulwarkError } from "../../shared/errors.ts";
import { fitRules } from "../../shared/fit.ts";
import { choice, type DatasetSpec, defineDataset, file, type ImageIdentity, int, num, type Split, text } from "../define/index.ts";
import { isDirectory, readBytes } from "../io/files.ts";
import { type ReadOptions, rasterFromBytes } from "../io/images.ts";
import { fromBytes } from "../pixels.ts";
import { boxReader, findAnnotations } from "./annotations.ts";
import { fileIdentity } from "./identity.ts";
import { type Listing, listImages } from "./imageListing.ts";
import { requiredPath } from "./locate.ts";
import { datasetOf, type SplitSource } from "./source.ts";

const params = Type.Object({
  path: file("Folder with one subfolder a class, or with a label file; train/ and test/ (or val/) above them are recognised."),
  labels: text("", "Label file with lines file,label; labels.csv or labels.txt in the folder when left out."),
  size: int(0, "Image height; 0 = that of the first image.", { min: 0, max: 8192, unit: "pixels" }),
  width: int(0, "Image width; 0 = same as the height.", { min: 0, max: 8192, unit: "pixels", advanced: true }),
  resize: choice(fitRules, "cover", "How images of another size are made to fit."),
  crop: num(1, "With cover: the share of the resized image's sides that the centre crop keeps, such as 0.875 for 256 → 224.", {
    min: 0.1,
    max: 1,
    advanced: true,
  }),
  channels: choice(["rgb", "gray"], "rgb", "Colour or grayscale."),
  boxes: text("", "Folder of Pascal-VOC XML files named like the images; beside them or Annotations/ when left out."),
  testShare: num(1, "Share of the images used for testing, where the folder does not say.", { min: 0, max: 1 }),
});

/**
 * Images in files, decoded as they are read, so that the data may be larger than memory. Hidden files are passed over; the order is
 * by class and then by name, by code point. `classes.txt` fixes the order of the classes.
 */
export const imageFolder: DatasetSpec = defineDataset({
  id: "imageFolder",
  title: "Folder of images",
  paper: "",
  params,
  async load(p) {
    const root = requiredPath("imageFolder", p.path);
    if (!(await isDirectory(root)))
      throw new BulwarkError("FILE_NOT_FOUND", `There is no folder ${root}.`, 'Give the path as "imageFolder:FOLDER".');
    const listing = await listImages(root, { labels: p.labels, testShare: p.testShare });
    const channels = p.channels === "rgb" ? 3 : 1;
    const first = listing.splits.train[0] ?? listing.splits.test[0];
    if (!first)
      throw new BulwarkError("DATASET_EMPTY", `${root} holds no images.`, "Put the images of each class into a folder of its name.");
    const size = p.size > 0 ? ([p.size, p.width || p.size] as const) : await sizeOf(first.file, channels);
    const options: ReadOptions = { size, channels, resize: p.resize, crop: p.crop };
    const annotations = await findAnnotations(root, p.boxes);
    const open = (split: Split): SplitSource => openFiles(root, listing.splits[split], options, boxReader(root, annotations, options));
    return datasetOf({
      kind: "imageFolder",
      path: root,
      inputShape: [size[0], size[1], channels],
      classNames: listing.classNames,
      splits: { train: open("train"), test: open("test") },
    });
  },
});

async function sizeOf(file: string, channels: 1 | 3): Promise<readonly [number, number]> {
  const { height, width } = await rasterFromBytes(await readBytes(file), file, { channels, resize: "none" });
  return [height, width];
}

type Files = Listing["splits"][Split];

function openFiles(root: string, files: Files, options: ReadOptions, boxesOf: ReturnType<typeof boxReader>): SplitSource {
  const pixels = (options.size?.[0] ?? 0) * (options.size?.[1] ?? 0) * options.channels;
  return {
    labels: Int32Array.from(files, ({ label }) => label),
    async read(indices, out) {
      const parallel = 4; // the decoder has threads of its own
      for (let from = 0; from < indices.length; from += parallel) {
        const places = Array.from({ length: Math.min(parallel, indices.length - from) }, (_, i) => from + i);
        await Promise.all(
          places.map(async (place) => {
            const file = files[indices[place] as number]?.file as string;
            fromBytes((await rasterFromBytes(await readBytes(file), file, options)).data, out, place * pixels);
          }),
        );
      }
    },
    async identify(indices) {
      const found: ImageIdentity[] = [];
      for (let place = 0; place < indices.length; place++) {
        const file = files[indices[place] as number]?.file as string;
        const id = await fileIdentity(await readBytes(file), file);
        found.push({ id, file: path.relative(root, file).split(path.sep).join("/") });
      }
      return found;
    },
    boxes: (index) => boxesOf(files[index]?.file as string),
    close: async () => undefined,
  };
}
