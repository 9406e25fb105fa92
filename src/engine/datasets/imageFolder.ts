import path from "node:path";
import { Type } from "@sinclair/typebox";
import { BulwarkError } from "../../shared/errors.ts";
import { fitNote, fitRules } from "../../shared/fit.ts";
import { count } from "../../shared/format.ts";
import type { RunContext } from "../context.ts";
import { choice, type DatasetSpec, defineDataset, file, type ImageIdentity, int, num, type Split, text } from "../define/index.ts";
import { isDirectory, readBytes } from "../io/files.ts";
import { type ReadOptions, rasterFromBytes } from "../io/images.ts";
import { fromBytes } from "../pixels.ts";
import { boxReader, findAnnotations } from "./annotations.ts";
import { firstLabel } from "./firstLabel.ts";
import { brokenError, withoutBroken } from "./folder/broken.ts";
import { DecodedFiles } from "./folder/decodedFiles.ts";
import { type Listing, listImages, noLabel } from "./folder/listing.ts";
import { listed } from "./folder/names.ts";
import { fileIdentity } from "./identity.ts";
import { requiredPath } from "./locate.ts";
import { datasetOf, type SplitSource } from "./source.ts";

const params = Type.Object({
  path: file("Folder with one subfolder for each class, or with a label file; train/, test/, val/ and the like above them are recognised."),
  labels: text("", "Label file: a table or JSON of files and labels; labels.csv, .tsv, .txt, .json or .jsonl in the folder when left out."),
  fileColumn: text("", "Heading of the label file's column that names the images, where that is not clear.", { advanced: true }),
  labelColumn: text("", "Heading of the label file's column that is the label, where that is not clear.", { advanced: true }),
  classOrder: choice(
    ["number", "text"],
    "number",
    "Order of class folders whose names are numbers: folder 10 is class 10, or sorted as text (0, 1, 10, 2 …) as Keras and torchvision do.",
  ),
  firstLabel,
  size: int(0, "Image height; 0 = the model's, or without one that of the first image.", {
    min: 0,
    max: 8192,
    unit: "pixels",
    standIn: { words: "the model's", first: 224 },
  }),
  width: int(0, "Image width; 0 = same as the height.", {
    min: 0,
    max: 8192,
    unit: "pixels",
    advanced: true,
    standIn: { words: "same as the height", first: 224 },
  }),
  resize: choice(
    ["auto", ...fitRules],
    "auto",
    "How images of another size are made to fit; auto = as the model's contract says, else cover.",
  ),
  crop: num(0, "With cover: the share of the resized image's sides that the centre crop keeps, such as 0.875 for 256 → 224; 0 = auto.", {
    min: 0,
    max: 1,
    advanced: true,
    standIn: { words: "auto", first: 0.875 },
  }),
  onBroken: choice(
    ["stop", "skip"],
    "stop",
    "A picture that cannot be decoded stops the run, or is left out; then all are decoded once before.",
  ),
  channels: choice(["auto", "rgb", "gray"], "auto", "Colour or grayscale; auto = as the model takes them, else colour."),
  boxes: text("", "Folder of Pascal-VOC XML files named like the images; beside them or Annotations/ when left out."),
  testShare: num(1, "Share of the images used for testing, where the folder does not say.", { min: 0, max: 1 }),
});

/**
 * Images in files, decoded as they are read, so that the data may be larger than memory. Content decides what an image is, not
 * its name; hidden files are passed over. The order is by class and then by name, by code point, or that of the label file.
 * `classes.txt` and the like fix the order of the classes.
 */
export const imageFolder: DatasetSpec = defineDataset({
  id: "imageFolder",
  title: "Folder of images",
  paper: "",
  params,
  async load(p, ctx) {
    const root = requiredPath("imageFolder", p.path);
    if (!(await isDirectory(root)))
      throw new BulwarkError("FILE_NOT_FOUND", `There is no folder ${root}.`, 'Give the path as "imageFolder:FOLDER".');
    const found = await listImages(root, p);
    const listing = p.onBroken === "skip" ? await withoutBroken(root, found, ctx) : found;
    const channels = p.channels === "gray" ? 1 : 3;
    const first = listing.splits.train[0] ?? listing.splits.test[0];
    if (!first) throw noImages(root, listing);
    const broken = brokenIn(root, listing, ctx);
    const own = await sizeOf(first.file, channels).catch(broken);
    const size = p.size > 0 ? ([p.size, p.width || p.size] as const) : own;
    const options = { size, channels, resize: p.resize === "auto" ? "cover" : p.resize, crop: p.crop || 1 } as const;
    const fitted = own.join() === size.join() ? [] : [fitNote(size, options.resize)];
    const annotations = await findAnnotations(root, p.boxes);
    const open = (split: Split): SplitSource =>
      openFiles(root, listing.splits[split], options, boxReader(root, annotations, options), broken);
    return datasetOf({
      kind: "imageFolder",
      path: root,
      inputShape: [size[0], size[1], channels],
      classNames: listing.classNames,
      firstLabel: p.firstLabel,
      ...(listing.synsets ? { synsets: listing.synsets } : {}),
      hasNumberedFolders: listing.hasNumberedFolders ?? false,
      notes: [...listing.notes, ...fitted],
      skipped: listing.skipped,
      isGrouped: true,
      splits: { train: open("train"), test: open("test") },
    });
  },
});

function noImages(root: string, { skipped }: Listing): BulwarkError {
  const unlabelled = skipped.filter(({ reason }) => reason === noLabel);
  if (unlabelled.length > 0)
    return new BulwarkError(
      "DATASET_EMPTY",
      unlabelled.length === 1
        ? `The picture in ${root} has no label: ${unlabelled[0]?.file}.`
        : `The ${count(unlabelled.length)} pictures in ${root} have no labels: ${listed(unlabelled.map(({ file }) => file))}.`,
      'Put those of each class into a folder of its name, or list them in a labels.csv of the columns "file" and "label".',
    );
  const left = skipped.map(({ file, reason }) => `${file} (${reason})`);
  return new BulwarkError(
    "DATASET_EMPTY",
    `${root} holds no images that can be read${left.length > 0 ? `; skipped: ${listed(left)}` : ""}.`,
    left.length > 0 ? "Convert them to PNG or JPEG." : "Put the images of each class into a folder of its name.",
  );
}

async function sizeOf(file: string, channels: 1 | 3): Promise<readonly [number, number]> {
  const { height, width } = await rasterFromBytes(await readBytes(file), file, { channels, resize: "none" });
  return [height, width];
}

/** Turns the error of one picture into the error of its data set, which was readable when the run began, and throws it. */
type Broken = (thrown: unknown) => Promise<never>;
function brokenIn(root: string, listing: Listing, ctx: RunContext): Broken {
  let all: Promise<BulwarkError> | undefined; // several pictures are read at once, and the folder is searched once
  return async (thrown) => {
    if (!(thrown instanceof BulwarkError)) throw thrown;
    if (thrown.code === "FILE_NOT_FOUND" && !(await isDirectory(root)))
      throw new BulwarkError("FILE_NOT_FOUND", `The folder ${root} is not there any more.`, "Bring it back.", { cause: thrown });
    if (thrown.code !== "IMAGE_INVALID") throw thrown;
    all ??= brokenError(root, listing, thrown, ctx);
    throw await all;
  };
}

type Files = Listing["splits"][Split];
const together = 4; // files under way at once: the decoder has threads of its own, and large photographs take memory

function openFiles(root: string, files: Files, options: ReadOptions, boxesOf: ReturnType<typeof boxReader>, broken: Broken): SplitSource {
  const pixelsOf = async (file: string): Promise<Uint8Array> => (await rasterFromBytes(await readBytes(file), file, options)).data;
  const pixels = (options.size?.[0] ?? 0) * (options.size?.[1] ?? 0) * options.channels;
  const decoded = new DecodedFiles();
  return {
    labels: Int32Array.from(files, ({ label }) => label),
    async read(indices, out) {
      const one = async (place: number): Promise<void> => {
        const file = files[indices[place] as number]?.file as string;
        fromBytes(await decoded.pixels(file, () => pixelsOf(file).catch(broken)), out, place * pixels);
      };
      for (let from = 0; from < indices.length; from += together)
        await Promise.all(Array.from({ length: Math.min(together, indices.length - from) }, (_, i) => one(from + i)));
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
    fileOf: (index) => files[index]?.file,
    boxes: (index) => boxesOf(files[index]?.file as string),
    close: async () => decoded.close(),
  };
}
