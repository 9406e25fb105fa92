import type { Static, TObject } from "@sinclair/typebox";
import type { RunContext } from "../context.ts";
import type { Described, Entry } from "./entry.ts";
import type { Params } from "./params.ts";

export type Split = "train" | "test";
export interface Box {
  readonly label: string;
  readonly xmin: number;
  readonly ymin: number;
  readonly xmax: number;
  readonly ymax: number;
}
/** n images in one buffer, [n,H,W,C] float32 in [0,1]. */
export interface ImageBatch {
  readonly images: Float32Array;
  readonly labels: Int32Array;
  readonly n: number;
}
/** The images that something is evaluated on, in a fixed order. */
export interface EvaluationImages {
  readonly n: number;
  readonly inputShape: readonly [height: number, width: number, channels: number];
  /** Images [start, end). */
  read(start: number, end: number): Promise<ImageBatch>;
  /** Reading runs the model, whose predictions serve as labels, so nothing else may compute meanwhile. Absent otherwise. */
  readonly readsWithModel?: boolean;
  /** What they are, images [start, end); left out where nothing is known but what `read` gives. */
  identify?(start: number, end: number): Promise<readonly ImageIdentity[]>;
}
/** Random access by index, so that data larger than memory is read as it is needed. */
export interface Dataset {
  readonly inputShape: readonly [height: number, width: number, channels: number];
  readonly classNames: readonly string[];
  /** WordNet ids of the classes, where the source has them. */
  readonly synsets?: readonly string[];
  /** Its class names are numbers that somebody gave to folders, no mere count. */
  readonly hasNumberedFolders?: boolean;
  /** What was decided about the data that the user may want to know, in sentences. */
  readonly notes?: readonly string[];
  /** Files that were left out. */
  readonly skipped?: readonly SkippedFile[];
  /** Number of images of the split; 0 where the source has none. */
  size(split: Split): number;
  /** Labels of the split's images, in order. */
  labels(split: Split): Int32Array;
  /** The images lie class by class, so that the first of them are no sample of all. */
  isGrouped(split: Split): boolean;
  read(split: Split, indices: ArrayLike<number>): Promise<ImageBatch>;
  /** Left out where a data set knows nothing of its images but what `read` gives: that is hashed instead. */
  identify?(split: Split, indices: ArrayLike<number>): Promise<readonly ImageIdentity[]>;
  /** Absolute path of an image that is a file of its own. */
  fileOf?(split: Split, index: number): string | undefined;
  /** Ground-truth boxes in pixels of the image as read; empty where the source has none. */
  boxes(split: Split, index: number): readonly Box[];
  close(): Promise<void>;
}
/** A file that is left out of a data set, and why. */
export interface SkippedFile {
  /** Relative to the data set. */
  readonly file: string;
  readonly reason: string;
}
export interface DatasetSpec extends Entry {
  /** `params.path` is where the files are; each data set documents what it looks for there. */
  load(params: Params, ctx: RunContext): Promise<Dataset>;
}
export function defineDataset<P extends TObject>(
  spec: Described<P, Static<P>> & { load(params: Static<P>, ctx: RunContext): Promise<Dataset> },
): DatasetSpec {
  return spec as unknown as DatasetSpec;
}
/** What an image is, wherever it lies: the same in every run (contract.md §8). */
export interface ImageIdentity {
  /** 16 hexadecimal digits, taken from the source before anything is resized; equal images have the same. The label is no part of it. */
  readonly id: string;
  /** Relative to the data set, for images in files of their own. */
  readonly file?: string;
}
