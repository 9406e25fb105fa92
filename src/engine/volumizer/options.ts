import { BulwarkError } from "../../shared/errors.ts";
import type { VolumizerOptions } from "../define.ts";
import { measures } from "../measures/all.ts";

export const measureIds: readonly string[] = measures.map((measure) => measure.id);

/** A volumizer's settings as forms, experiment files and the command line give them: the measure by its id. */
export interface PlainVolumizerOptions extends Omit<VolumizerOptions, "measure" | "measureParams"> {
  readonly measure: string;
  readonly jeMode?: string;
  readonly maxNormMode?: string;
}

/** @throws BulwarkError UNKNOWN_ID for a measure that is not there. */
export function volumizerOptions(o: PlainVolumizerOptions): VolumizerOptions {
  const measure = measures.find((m) => m.id === o.measure);
  if (!measure) throw new BulwarkError("UNKNOWN_ID", `There is no measure "${o.measure}".`, `Known: ${measureIds.join(", ")}.`);
  const own: Readonly<Record<string, unknown>> = { jeMode: o.jeMode, mode: o.maxNormMode };
  const measureParams = Object.fromEntries(
    Object.keys(measure.params.properties).flatMap((key) => (own[key] === undefined ? [] : [[key, own[key]]])),
  );
  const { patch, order, reference, refScore, onRemainder } = o;
  return { patch, measure, measureParams, order, reference, refScore, onRemainder };
}
