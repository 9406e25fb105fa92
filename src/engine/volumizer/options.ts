import { BulwarkError } from "../../shared/errors.ts";
import { suggestion } from "../../shared/nearest.ts";
import type { VolumizerOptions } from "../define/index.ts";
import { measures } from "../measures/all.ts";

export const measureIds: readonly string[] = measures.map((measure) => measure.id);
export const references = ["mostSalient", "minEntropy", "index", "slice"] as const;

/** A volumizer's settings as forms, experiment files and the command line give them: the measure by its id, the reference in words. */
export interface PlainVolumizerOptions extends Omit<VolumizerOptions, "measure" | "measureParams" | "reference"> {
  readonly measure: string;
  readonly reference: (typeof references)[number];
  readonly referenceIndex?: number;
  /** Bytes [p_h·p_w·C] in base64. */
  readonly referenceSlice?: string;
  readonly jeMode?: string;
  readonly maxNormMode?: string;
}

/** @throws BulwarkError UNKNOWN_ID for a measure that is not there, PARAMETER_INVALID for a reference slice that is not given. */
export function volumizerOptions(o: PlainVolumizerOptions): VolumizerOptions {
  const { patch, stride = 0, order, refScore, onRemainder } = o;
  const measure = measures.find((m) => m.id === o.measure);
  if (!measure) throw new BulwarkError("UNKNOWN_ID", `There is no measure "${o.measure}".`, suggestion(o.measure, measureIds));
  const own: Readonly<Record<string, unknown>> = { jeMode: o.jeMode, mode: o.maxNormMode };
  const measureParams = Object.fromEntries(
    Object.keys(measure.params.properties).flatMap((key) => (own[key] === undefined ? [] : [[key, own[key]]])),
  );
  return { patch, stride, measure, measureParams, order, reference: referenceOf(o), refScore, onRemainder };
}

function referenceOf(o: PlainVolumizerOptions): VolumizerOptions["reference"] {
  if (o.reference === "index") return { index: o.referenceIndex ?? 0 };
  if (o.reference !== "slice") return o.reference;
  const slice = Uint8Array.from(Buffer.from(o.referenceSlice ?? "", "base64"));
  if (slice.length > 0) return { slice };
  throw new BulwarkError(
    "PARAMETER_INVALID",
    "The reference is to be a given slice, but none is given.",
    "Set referenceSlice to its bytes in base64, or choose another reference.",
  );
}
