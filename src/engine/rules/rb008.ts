import { percent } from "../../shared/format.ts";
import type { Finding, ImageRecord } from "../../shared/results.ts";
import { weakerWins } from "../metrics/statistics.ts";
import { brokenByOnlyOne } from "./paired.ts";

/** One attack three times on the same images: against the undefended model, those images on the defended one, and against the defence. */
export interface ThreeWays {
  readonly undefended: readonly ImageRecord[];
  readonly transferred: readonly ImageRecord[];
  readonly adaptive: readonly ImageRecord[];
}

/**
 * RB008: the defence survives the attack that was made for another model, not the one that knows it. Fires where the transferred attack
 * leaves significantly more right than the undefended model has, the adaptive one breaks significantly more than the transferred, and at
 * least half of the apparent gain is gone with it.
 */
export function rb008({ undefended, transferred, adaptive }: ThreeWays): Finding | null {
  const [u, s, a] = [accuracy(undefended), accuracy(transferred), accuracy(adaptive)];
  if (u === null || s === null || a === null) return null;
  const right = new Map(undefended.map((record) => [record.index, record.prediction === record.label]));
  const gained = transferred.filter((record) => record.prediction === record.label && right.get(record.index) === false).length;
  const lost = transferred.filter((record) => record.prediction !== record.label && right.get(record.index) === true).length;
  const { onlyA, onlyB } = brokenByOnlyOne(adaptive, transferred);
  if (!weakerWins(gained, lost) || !weakerWins(onlyA, onlyB) || a - u > (s - u) / 2) return null;
  return {
    rule: "RB008",
    severity: "warning",
    message: `Suspicious because the defence survives only an attack that does not know it: accuracy ${percent(s)} on images made for the undefended model (which has ${percent(u)} on them), ${percent(a)} when the same attack is made against the defence.`,
    fix: "Quote the accuracy under the adaptive attack: the other says only that the images were made for another model.",
  };
}

/** RB008 where nothing but a transferred attack was made. */
export const onlyTransferred = (): Finding => ({
  rule: "RB008",
  severity: "warning",
  message: "Suspicious because a defence stands here and the attack was made without it: a defence must be attacked by one who knows it.",
  fix: "Attack the defended model itself (--adaptive, or mode whitebox) before trusting the accuracy.",
});

const accuracy = (records: readonly ImageRecord[]): number | null =>
  records.length === 0 ? null : records.filter((record) => record.prediction === record.label).length / records.length;
