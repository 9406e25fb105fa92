import fs from "node:fs";
import { BulwarkError } from "../../../../shared/errors.ts";
import { exportAgain } from "../problems.ts";

/** Bytes read at a time while parsing messages. */
const windowLength = 1 << 20;

/** A file that is read in ranges, never as a whole. The caller closes it. */
export class ByteFile {
  readonly name: string;
  readonly size: number;
  private readonly fd: number;
  private window = new Uint8Array(0);
  private start = 0;

  /** @param fd an open descriptor, which this object now owns */
  constructor(name: string, fd: number) {
    this.name = name;
    this.fd = fd;
    this.size = fs.fstatSync(fd).size;
  }

  /** Fills `target` from the bytes at `offset`. @throws MODEL_INVALID if the file ends first */
  readInto(target: Uint8Array, offset: number): void {
    let filled = 0;
    while (filled < target.length) {
      const count = fs.readSync(this.fd, target, filled, Math.min(target.length - filled, 1 << 30), offset + filled);
      if (count === 0) throw cutOff(this.name, "the data", { at: offset, needed: target.length, left: filled });
      filled += count;
    }
  }

  /** A copy of a range. */
  bytes(offset: number, length: number): Uint8Array<ArrayBuffer> {
    const target = new Uint8Array(length);
    if (offset >= this.start && offset + length <= this.start + this.window.length)
      target.set(this.window.subarray(offset - this.start, offset - this.start + length));
    else this.readInto(target, offset);
    return target;
  }

  /** One byte, through the window. */
  byte(offset: number): number {
    const inside = this.window[offset - this.start];
    if (offset >= this.start && inside !== undefined) return inside;
    const length = Math.min(windowLength, this.size - offset);
    if (length <= 0) throw cutOff(this.name, "a field", { at: offset, needed: 1, left: 0 });
    this.start = offset;
    this.window = new Uint8Array(length);
    this.readInto(this.window, offset);
    return this.window[0] as number;
  }

  close(): void {
    fs.closeSync(this.fd);
  }
}

/** The error for a message or tensor longer than the rest of the file. */
export const cutOff = (file: string, what: string, { at, needed, left }: { at: number; needed: number; left: number }): BulwarkError =>
  new BulwarkError(
    "MODEL_INVALID",
    `${file} is cut off: ${what} at byte ${at} needs ${needed} bytes, ${Math.max(0, left)} are left.`,
    exportAgain,
    { detail: `byte ${at}` },
  );
