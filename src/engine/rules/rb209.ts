import type { ImageRecord } from "../../shared/results.ts";
import type { AttackEvidence } from "./evidence.ts";
import { brokenByOnlyOne } from "./paired.ts";
import type { Rule } from "./rule.ts";
import { images } from "./words.ts";

/**
 * A grey patch at the same places breaks as many images as the patch; paired. Nothing to say where neither breaks any. It stands outside
 * Holm's family, which keeps differences from being claimed by chance: this rule says that no difference is seen, so a correction would
 * raise it more often, not less.
 */
export const rb209: Rule<AttackEvidence> = {
  id: "RB209",
  check({ records, control }) {
    if (!control) return null;
    const { onlyA, onlyB } = brokenByOnlyOne(records, control);
    const [byPatch, byGrey] = [broken(records), broken(control)];
    if (onlyA > onlyB || byGrey === 0) return null;
    return {
      message: `The patch does no more than cover: it breaks ${images(byPatch)}, a plain grey patch in the same places ${byGrey}.`,
      fix: "Train it with more steps, or report its success beside that of the grey patch.",
    };
  },
};

const broken = (records: readonly ImageRecord[]): number =>
  records.filter((record) => record.cleanPrediction === record.label && record.prediction !== record.label).length;
