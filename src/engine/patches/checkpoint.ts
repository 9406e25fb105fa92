import type { PatchFigures, PatchStep } from "../../shared/patch.ts";
import { exists, readText, writeAtomic } from "../io/files.ts";
import { isAsWritten, withSum } from "../io/seal.ts";
import type { PatchProgress } from "./train.ts";

interface Saved {
  readonly pixels: string;
  readonly first: string;
  readonly second: string;
  readonly steps: number;
  readonly best?: { readonly step: number; readonly pixels: string; readonly figures: PatchFigures };
  readonly seconds: number;
  readonly history: readonly PatchStep[];
}
export interface PatchCheckpoint {
  readonly progress: PatchProgress;
  readonly seconds: number;
  readonly history: readonly PatchStep[];
}

const text = ({ buffer, byteOffset, byteLength }: Float32Array): string => Buffer.from(buffer, byteOffset, byteLength).toString("base64");
const floats = (base64: string): Float32Array => new Float32Array(Uint8Array.from(Buffer.from(base64, "base64")).buffer);

/** Where a training that was stopped goes on: colours, Adam's state, the best patch so far and the history, in one file that is whole or absent. */
export async function savePatchCheckpoint(file: string, { progress, seconds, history }: PatchCheckpoint): Promise<void> {
  const { pixels, adam, best } = progress;
  const { first, second, steps } = adam;
  const kept = best ? { best: { ...best, pixels: text(best.pixels) } } : {};
  const saved: Saved = { pixels: text(pixels), first: text(first), second: text(second), steps, ...kept, seconds, history };
  await writeAtomic(file, JSON.stringify(withSum(saved)));
}

/** Null where there is none, and "damaged" where there is one that is not whole any more. */
export async function loadPatchCheckpoint(file: string): Promise<PatchCheckpoint | null | "damaged"> {
  if (!(await exists(file))) return null;
  const read = savedIn(await readText(file));
  if (!read) return "damaged";
  const { pixels, first, second, steps, best, seconds, history } = read;
  const kept = best ? { best: { ...best, pixels: floats(best.pixels) } } : {};
  return { progress: { pixels: floats(pixels), adam: { first: floats(first), second: floats(second), steps }, ...kept }, seconds, history };
}

function savedIn(content: string): Saved | null {
  try {
    const read = JSON.parse(content) as Saved | null;
    return read && isAsWritten(read) ? read : null;
  } catch {
    return null;
  }
}
