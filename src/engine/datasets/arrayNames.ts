import { BulwarkError } from "../../shared/errors.ts";
import type { Split } from "../define/index.ts";

/** Names of the arrays of images and of their labels. */
export interface Pair {
  readonly images: string;
  readonly labels: string;
}
export type Pairs = { readonly all: Pair } | Partial<Readonly<Record<Split, Pair>>>;

/**
 * Names that people give to images and labels, in any case and with or without "_": `images` + `labels`, `x` + `y`, `data` + `label(s)`
 * or `target(s)`, `arr_0` + `arr_1` (numpy's own, where nothing was named).
 */
const whole: readonly (readonly [images: string, labels: readonly string[]])[] = [
  ["images", ["labels", "label", "targets", "target"]],
  ["image", ["labels", "label", "targets", "target"]],
  ["imgs", ["labels", "label", "targets", "target"]],
  ["x", ["y"]],
  ["data", ["labels", "label", "targets", "target", "y"]],
  ["arr0", ["arr1"]],
];
/** The same by split, as Keras (`x_train`) and MedMNIST (`train_images`) have them. What is validated on is tested on where nothing is for testing. */
const divided: readonly (readonly [split: Split, names: readonly string[]])[] = [
  ["train", ["train", "training"]],
  ["test", ["test", "testing"]],
  ["test", ["val", "valid", "validation"]],
];
const kinds: readonly (readonly [images: string, labels: string])[] = [
  ["x", "y"],
  ["images", "labels"],
  ["data", "labels"],
];

const plain = (name: string): string => name.toLowerCase().replace(/[^a-z0-9]/g, "");
const invalid = (message: string, fix: string): BulwarkError => new BulwarkError("DATASET_INVALID", message, fix);

/**
 * Which arrays of a file are images and labels.
 * @param which of the images of Bulwark's own `adversarial.npz`
 * @throws DATASET_INVALID where it has none, or where several may be meant
 */
export function pairsIn(names: readonly string[], which: string, file: string): Pairs {
  const has = (name: string): boolean => names.includes(name);
  if (has("adversarial") && has("clean") && has("label")) return { all: { images: which, labels: "label" } };
  const found = new Map<string, string>();
  for (const name of names) {
    const other = found.get(plain(name));
    if (other !== undefined) throw unclear(file, [other, name], names);
    found.set(plain(name), name);
  }
  const pair = (images: string, labels: string): Pair[] => {
    const [x, y] = [found.get(images), found.get(labels)];
    return x !== undefined && y !== undefined ? [{ images: x, labels: y }] : [];
  };
  const all = whole.flatMap(([images, labels]) => labels.flatMap((one) => pair(images, one)));
  const bySplit = divided.map(([split, words]) => ({
    split,
    pairs: words.flatMap((word) => kinds.flatMap(([x, y]) => [...pair(x + word, y + word), ...pair(word + x, word + y)])),
  }));
  const several = [all, ...bySplit.map(({ pairs }) => pairs)].find((pairs) => pairs.length > 1);
  const first = bySplit.find(({ pairs }) => pairs.length > 0);
  if (several)
    throw unclear(
      file,
      several.map(({ images }) => images),
      names,
    );
  if (all[0] && first?.pairs[0]) throw unclear(file, [all[0].images, first.pairs[0].images], names);
  if (all[0] && found.has("arr2") && all[0].images === found.get("arr0")) throw unclear(file, names, names);
  if (all[0]) return { all: all[0] };
  const [train, test, validation] = bySplit.map(({ pairs }) => pairs[0]);
  const tested = test ?? validation;
  if (train || tested) return { ...(train ? { train } : {}), ...(tested ? { test: tested } : {}) };
  throw invalid(
    `${file} has no arrays "images" and "labels", only ${names.join(", ") || "none"}.`,
    "Save it with numpy.savez(file, images=…, labels=…).",
  );
}

const unclear = (file: string, some: readonly string[], names: readonly string[]): BulwarkError =>
  invalid(
    `It is not certain which arrays of ${file} are meant, ${some.join(" or ")}: it holds ${names.join(", ")}.`,
    "Save only the images and their labels, with numpy.savez(file, images=…, labels=…).",
  );
