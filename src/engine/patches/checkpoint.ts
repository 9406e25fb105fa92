import type { PatchFigures, PatchStep } from "../../shared/patch.ts";
import { exists, readText, writeAtomic } from "../io/files.ts";
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
  await writeAtomic(file, JSON.stringify(saved));
}

export async function loadPatchCheckpoint(file: string): Promise<PatchCheckpoint | null> {
  if (!(await exists(file))) return null;
  const { pixels, first, second, steps, best, seconds, history } = JSON.parse(await readText(file)) as Saved;
  const kept = best ? { best: { ...best, pixels: floats(best.pixels) } } : {};
  return { progress: { pixels: floats(pixels), adam: { first: floats(first), second: floats(second), steps }, ...kept }, seconds, history };
}
