import { readdir, rm } from "node:fs/promises";
import path from "node:path";
import type { BatchOutcome } from "../harness/types.ts";
import { readText, writeAtomic } from "../io/files.ts";
import { type NpyRead, readNpz, writeNpz } from "../io/npz.ts";

type Counted = Omit<BatchOutcome, "clean" | "adversarial" | "labels" | "cleanPredictions" | "predictions">;

/** Finished batches of an attack that is still going on: what a resumed run does not compute again. */
export class PartialBatches {
  readonly #directory: string;
  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Arrays first; the JSON, renamed into place, says that the batch is whole. */
  async save(start: number, outcome: BatchOutcome, [height, width, channels]: readonly [number, number, number]): Promise<void> {
    const { clean, adversarial, labels, cleanPredictions, predictions, ...counted } = outcome;
    const n = labels.length;
    const images = [n, height, width, channels];
    await writeNpz(this.#file(start, "npz"), {
      clean: { data: clean, shape: images },
      adversarial: { data: adversarial, shape: images },
      labels: { data: labels, shape: [n] },
      cleanPredictions: { data: cleanPredictions, shape: [n] },
      predictions: { data: predictions, shape: [n] },
    });
    await writeAtomic(this.#file(start, "json"), JSON.stringify(counted));
  }

  /** Null where the batch was not finished. */
  async load(start: number): Promise<BatchOutcome | null> {
    const names = await readdir(this.#directory).catch(() => [] as string[]);
    if (!names.includes(`${start}.json`) || !names.includes(`${start}.npz`)) return null;
    const counted = JSON.parse(await readText(this.#file(start, "json"))) as Counted;
    const arrays = await readNpz(this.#file(start, "npz"));
    return {
      ...counted,
      clean: floats(arrays["clean"]),
      adversarial: floats(arrays["adversarial"]),
      labels: integers(arrays["labels"]),
      cleanPredictions: integers(arrays["cleanPredictions"]),
      predictions: integers(arrays["predictions"]),
    };
  }

  async remove(): Promise<void> {
    await rm(this.#directory, { recursive: true, force: true });
  }

  #file(start: number, extension: string): string {
    return path.join(this.#directory, `${start}.${extension}`);
  }
}

const floats = (array: NpyRead | undefined): Float32Array => Float32Array.from(array?.data as ArrayLike<number>);
const integers = (array: NpyRead | undefined): Int32Array => Int32Array.from(array?.data as ArrayLike<number>);
