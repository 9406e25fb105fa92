import { promises as fs } from "node:fs";
import os from "node:os";

/** Bytes that decoded pictures may take in this process, of all data sets together. */
export interface Budget {
  readonly bytes: number;
  held: number;
}
const memory = Math.min(os.totalmem(), process.constrainedMemory() || Number.POSITIVE_INFINITY);
/** A tenth of what the process may use, 1 GB at most: 6,600 photographs of 224×224×3, or 325,000 pictures of 32×32×3. */
const budget: Budget = { bytes: Math.min(1e9, memory / 10), held: 0 };

interface Kept {
  readonly stamp: string;
  readonly pixels: Uint8Array;
}

/**
 * Decoded pictures by file, kept from the first time they are read, so that later epochs do not decode them again. The first ones that fit
 * stay: every epoch reads all of them, in an order of its own, and dropping the least recently used would drop what is wanted next.
 * A file is decoded again once its time, size or number on the disk is another one, so that what is given is what the file holds.
 */
export class DecodedFiles {
  readonly #kept = new Map<string, Kept>();
  readonly #budget: Budget;
  #isClosed = false;

  constructor(shared: Budget = budget) {
    this.#budget = shared;
  }

  /** Not to be written to. @throws what `decode` throws, for a file that is gone as well */
  async pixels(file: string, decode: () => Promise<Uint8Array>): Promise<Uint8Array> {
    const stamp = await stampOf(file); // before the file is read: a change in between is seen the next time
    const kept = this.#kept.get(file);
    if (kept && kept.stamp === stamp) return kept.pixels;
    if (kept) this.#drop(file, kept);
    const pixels = await decode();
    if (stamp !== null) this.#keep(file, { stamp, pixels });
    return pixels;
  }

  /** What is still being read is given, but not kept. */
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

/** What changes whenever the content of a file does; null for a file that cannot be looked at, which decoding it tells. */
async function stampOf(file: string): Promise<string | null> {
  try {
    const { mtimeNs, ctimeNs, size, ino } = await fs.stat(file, { bigint: true });
    return [mtimeNs, ctimeNs, size, ino].join();
  } catch {
    return null;
  }
}
