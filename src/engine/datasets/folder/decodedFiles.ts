import { promises as fs } from "node:fs";
import { machineMemory } from "../../io/memory.ts";

/** How many bytes of decoded pictures this process may keep, for all data sets together. */
export interface Budget {
  readonly bytes: number;
  held: number;
}
/** A tenth of the memory, 1 GB at most: 6,600 photographs of 224×224×3, or 325,000 pictures of 32×32×3. */
const budget: Budget = { bytes: Math.min(1e9, machineMemory() / 10), held: 0 };

interface Kept {
  readonly stamp: string;
  readonly pixels: Uint8Array;
}

/**
 * Keeps decoded pictures by file, so that later epochs do not decode them again. The first pictures that fit are kept for good. Evicting the
 * least recently used would not help: every epoch reads each picture once, so the oldest one may well be the next to be read.
 * A file is decoded again when its time, size or inode has changed.
 */
export class DecodedFiles {
  readonly #kept = new Map<string, Kept>();
  readonly #budget: Budget;
  #isClosed = false;

  constructor(shared: Budget = budget) {
    this.#budget = shared;
  }

  /** Callers must not write to the result. @throws what `decode` throws, also for a file that is gone */
  async pixels(file: string, decode: () => Promise<Uint8Array>): Promise<Uint8Array> {
    const stamp = await stampOf(file); // taken before reading, so that a change in between is noticed next time
    const kept = this.#kept.get(file);
    if (kept && kept.stamp === stamp) return kept.pixels;
    if (kept) this.#drop(file, kept);
    const pixels = await decode();
    if (stamp !== null) this.#keep(file, { stamp, pixels });
    return pixels;
  }

  /** Pictures that are still being read are returned, but not kept. */
  close(): void {
    this.#isClosed = true;
    for (const [file, kept] of this.#kept) this.#drop(file, kept);
  }

  #keep(file: string, kept: Kept): void {
    const size = kept.pixels.byteLength;
    if (this.#isClosed || this.#kept.has(file) || this.#budget.held + size > this.#budget.bytes) return;
    this.#kept.set(file, kept);
    this.#budget.held += size;
  }

  #drop(file: string, { pixels }: Kept): void {
    if (this.#kept.delete(file)) this.#budget.held -= pixels.byteLength;
  }
}

/** Changes whenever the file's content does; null where the file cannot be examined, which decoding will report. */
async function stampOf(file: string): Promise<string | null> {
  try {
    const { mtimeNs, ctimeNs, size, ino } = await fs.stat(file, { bigint: true });
    return [mtimeNs, ctimeNs, size, ino].join();
  } catch {
    return null;
  }
}
