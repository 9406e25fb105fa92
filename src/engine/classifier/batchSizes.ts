import { bytes, count, plural } from "../../shared/format.ts";
import { freeMemory } from "../io/memory.ts";
import type { BatchSizes, Classifier } from "./classifier.ts";
import { demandOf, type MemoryDemand } from "./demand.ts";

/**
 * Largest batch, and how many pixel values it may hold: 100 digits, 6 photos of 224×224. A step over a batch computes in one piece, and
 * nothing else may wait for it longer than 250 ms with a small network; its activations have to fit into memory with a large one.
 */
const most = 100;
const values = 1_000_000;

/** Images that are read and kept together, and no fewer than are computed together: depends on the image's size alone. */
export const batchSizeOf = ([height, width, channels]: Classifier["inputShape"]): number =>
  Math.max(1, Math.min(most, Math.floor(values / (height * width * channels))));

/** Of the memory that is free, the share that the images of a batch may take; the rest is for the graphs of other batch sizes and for other programs. */
const shareOfFree = 1 / 3;

/** Memory, and how much of it the images of a batch may take, in bytes. */
export interface Room {
  readonly free: number;
  readonly forImages: number;
}
/** What is left for images beside the weights. */
export const roomFor = ({ weights }: MemoryDemand, free: number): Room => ({
  free,
  forImages: Math.max(0, free - weights) * shareOfFree,
});

const fitting = (each: number, { forImages }: Room): number => Math.max(1, Math.floor(forImages / each));

/**
 * Images to a batch: as many as there is room for, but no more than `batchSizeOf` allows, which holds the time of a step down.
 * @param surface what attacks see of the model
 */
export function sizesFor(model: Classifier, surface: Classifier, room: Room): BatchSizes {
  const most = batchSizeOf(model.inputShape);
  return {
    forward: Math.min(most, fitting(demandOf(model).forward, room)),
    gradient: Math.min(most, fitting(demandOf(surface).gradient, room)),
  };
}

/** How the images of a set are computed: in batches of `size`, `most` of them at once. */
export interface BatchSize {
  readonly size: number;
  readonly most: number;
}

const rooms = new WeakMap<Classifier, Room>();

/** The room that was there when the model was first asked about: later, less is free because of the model itself. */
export function roomOf(model: Classifier): Room {
  const room = rooms.get(model) ?? roomFor(demandOf(model), freeMemory());
  rooms.set(model, room);
  return room;
}

/** The model with batch sizes that a run has settled, and the room that it found. */
export function withBatchSizes(model: Classifier, batchSizes: BatchSizes, room: Room): Classifier {
  const settled = { ...model, batchSizes };
  rooms.set(settled, room);
  return settled;
}

/**
 * Batches of a model: those of the run that it belongs to, in parts where less memory is free than when the run was begun, or as large as
 * there is room for.
 * @param surface what computes, where that is not the model itself
 */
export function batchSizeFor(model: Classifier, need: keyof BatchSizes, surface: Classifier = model): BatchSize {
  const fits = fitting(demandOf(surface)[need], roomOf(model));
  const size = model.batchSizes?.[need] ?? Math.min(batchSizeOf(model.inputShape), fits);
  return { size, most: Math.min(size, fits) };
}

/** "6 images at a time: one needs about 64 MB, and 9.8 GB of memory are free." */
export function batchText(sizes: Partial<BatchSizes>, { forward, gradient }: MemoryDemand, { free }: Room): string {
  const each = sizes.gradient === undefined ? forward : gradient;
  const size = sizes.gradient ?? sizes.forward ?? 1;
  const more = sizes.forward !== undefined && sizes.forward !== size ? ` (${count(sizes.forward)} where no gradient is taken)` : "";
  return `${plural(size, "image")} at a time${more}: one needs about ${bytes(each)}, and ${bytes(free)} of memory are free.`;
}

/** What to say where even one image does not fit; null where it does. */
export function shortageText({ weights, gradient }: MemoryDemand, { free }: Room): string | null {
  const wanted = weights + gradient;
  if (wanted <= free) return null;
  return `The network needs about ${bytes(wanted)} of memory for a single image, and ${bytes(free)} are free: the computer may slow down or the work may fail. Close other programs, or choose a smaller network or smaller images.`;
}
