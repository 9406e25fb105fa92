import type { Finding, ImageRecord } from "../../shared/results.ts";
import { brokenByOnlyOne } from "./paired.ts";
import { images } from "./words.ts";

/** RB209: a grey patch at the same places breaks as many images as the patch; paired. Nothing to say where neither breaks any. */
export function rb209(patched: readonly ImageRecord[], covered: readonly ImageRecord[]): Finding | null {
  const { onlyA, onlyB } = brokenByOnlyOne(patched, covered);
  const broken = (records: readonly ImageRecord[]): number =>
    records.filter((record) => record.cleanPrediction === record.label && record.prediction !== record.label).length;
  const [byPatch, byGrey] = [broken(patched), broken(covered)];
  if (onlyA > onlyB || byGrey === 0) return null;
  return {
    rule: "RB209",
    severity: "warning",
    message: `Suspicious because the patch does no more than cover: it breaks ${images(byPatch)}, a grey one at the same places ${byGrey}.`,
    fix: "Train it with more steps, or quote its success beside that of the grey patch.",
  };
}
