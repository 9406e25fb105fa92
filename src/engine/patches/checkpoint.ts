import { Type } from "@sinclair/typebox";
import type { PatchFigures, PatchStep } from "../../shared/patch.ts";
import { list, measured, natural, num, orNull, readAs, type Shape, text } from "../../shared/shapes.ts";
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

const figures = { images: natural, successRate: orNull(num), targetRate: orNull(num), logProbability: orNull(num) };
const savedShape: Shape<Saved> = Type.Object({
  ...{ pixels: text, first: text, second: text, steps: natural, seconds: measured },
  best: Type.Optional(Type.Object({ step: natural, pixels: text, figures: Type.Object(figures) })),
  history: list(Type.Object({ ...figures, step: natural })),
});

const base64 = ({ buffer, byteOffset, byteLength }: Float32Array): string => Buffer.from(buffer, byteOffset, byteLength).toString("base64");
function floats(encoded: string): Float32Array {
  const bytes = Uint8Array.from(Buffer.from(encoded, "base64"));
  return new Float32Array(bytes.buffer, 0, Math.floor(bytes.length / 4));
}

/** Where a training that was stopped goes on: colours, Adam's state, the best patch so far and the history, in one file that is whole or absent. */
export async function savePatchCheckpoint(file: string, { progress, seconds, history }: PatchCheckpoint): Promise<void> {
  const { pixels, adam, best } = progress;
  const { first, second, steps } = adam;
  const kept = best ? { best: { ...best, pixels: base64(best.pixels) } } : {};
  const saved: Saved = { pixels: base64(pixels), first: base64(first), second: base64(second), steps, ...kept, seconds, history };
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
  const read = readAs(savedShape, content);
  return "value" in read && isAsWritten(read.value) ? read.value : null;
}
