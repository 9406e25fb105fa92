import path from "node:path";
import { setImmediate } from "node:timers/promises";
import type { ImageRecord } from "../../shared/results.ts";
import { runFiles } from "../../shared/runs.ts";
import { type NpyArray, writeNpz } from "../io/npz.ts";

/** What an arm made of the images of a run, before and under attack. */
export interface ArmLedger {
  readonly arm: string;
  /** Predicted class [n] and softmax probability [n] of every clean image. */
  readonly clean: Int32Array;
  readonly cleanConfidence: Float32Array;
  /** By attack key, with "-static" for images that were only transferred; an attack may have met the first images alone. */
  readonly attacks: readonly { readonly attack: string; readonly images: readonly ImageRecord[] }[];
  /** What analyses found of every image, by name. */
  readonly analyses?: Readonly<Record<string, readonly number[]>>;
}

/**
 * Writes `ledger.npz` (contract.md §8): what every attack did to every image of every arm, a column [n] each, in the order of
 * `dataset.json`. An image that an attack did not meet has prediction −1, norms and confidence NaN, and 0 elsewhere.
 * @throws DISK_FULL, NOT_WRITABLE
 */
export async function writeLedger(directory: string, labels: readonly number[], arms: readonly ArmLedger[]): Promise<void> {
  await writeNpz(path.join(directory, runFiles.ledger), await ledgerArrays(labels, arms));
}

/** The columns by name. Attack by attack, and between them other work of the process has its turn. */
export async function ledgerArrays(labels: readonly number[], arms: readonly ArmLedger[]): Promise<Record<string, NpyArray>> {
  const shape = [labels.length];
  const arrays: Record<string, NpyArray> = {
    index: { data: Int32Array.from(labels, (_, index) => index), shape },
    label: { data: Int32Array.from(labels), shape },
  };
  for (const { arm, clean, cleanConfidence, attacks, analyses = {} } of arms) {
    const name = columnName(arm);
    arrays[`${name}/clean`] = { data: clean, shape };
    arrays[`${name}/cleanConfidence`] = { data: cleanConfidence, shape };
    for (const [column, found] of Object.entries(analyses)) arrays[`${name}/${column}`] = { data: Int32Array.from(found), shape };
    for (const { attack, images } of attacks) {
      for (const [field, data] of Object.entries(columnsOf(images, labels.length))) arrays[`${name}/${attack}/${field}`] = { data, shape };
      await setImmediate();
    }
  }
  return arrays;
}

function columnsOf(images: readonly ImageRecord[], n: number): Record<string, NpyArray["data"]> {
  const rows = new Array<ImageRecord | undefined>(n).fill(undefined);
  for (const record of images) rows[record.index] = record;
  const column = (missing: number, value: (record: ImageRecord) => number): number[] =>
    rows.map((record) => (record ? value(record) : missing));
  const whole = (missing: number, value: (record: ImageRecord) => number) => Int32Array.from(column(missing, value));
  const float = (value: (record: ImageRecord) => number) => Float32Array.from(column(Number.NaN, value));
  const flag = (value: (record: ImageRecord) => boolean) => Uint8Array.from(column(0, (record) => Number(value(record))));
  return {
    prediction: whole(-1, ({ prediction }) => prediction),
    success: flag(({ success }) => success),
    success8: flag(({ successAfter8Bit }) => successAfter8Bit),
    repaired: flag(({ repaired }) => repaired === true),
    confidence: float(({ confidence }) => confidence ?? Number.NaN),
    linf: float(({ linf }) => linf),
    l2: float(({ l2 }) => l2),
    l0: whole(0, ({ l0 }) => l0),
    iterations: whole(0, ({ iterations }) => iterations),
  };
}

/** An arm may be called anything: its name as one part of a path. Names that differ as file names do stay different. */
const columnName = (arm: string): string => arm.replace(/[/\\]/g, "-").replace(/^\.+/, "") || "unnamed";
