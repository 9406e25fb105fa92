import type { FileHandle } from "node:fs/promises";
import { parseEvents, type RunEvent } from "../shared/events.ts";
import { openPlain } from "./files.ts";

/** Bytes that are read at once; what is longer is read in several steps. */
const mostAtOnce = 8e6;
/** Bytes; a run of weeks has fewer, and all of them are kept for the curves. */
const mostOfEvents = 256e6;

/** Reads what was appended since the last call; whole lines only. `restarted` when the file has become shorter. */
export function createTail(file: string): () => Promise<{ events: RunEvent[]; restarted: boolean }> {
  let offset = 0;
  let rest = "";
  let decoder = new TextDecoder();
  const append = async (handle: FileHandle, size: number): Promise<{ events: RunEvent[]; restarted: boolean }> => {
    const restarted = size < offset;
    if (restarted) [offset, rest, decoder] = [0, "", new TextDecoder()];
    const length = Math.min(size - offset, mostAtOnce);
    if (length === 0) return { events: [], restarted };
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, offset);
    offset += bytesRead;
    const lines = (rest + decoder.decode(buffer.subarray(0, bytesRead), { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    return { events: parseEvents(lines.join("\n")), restarted };
  };
  return async () => {
    const read = await openPlain(file, { links: false, most: mostOfEvents }, append);
    const isGone = read === undefined && offset > 0;
    if (isGone) [offset, rest, decoder] = [0, "", new TextDecoder()];
    return read ?? { events: [], restarted: isGone };
  };
}
