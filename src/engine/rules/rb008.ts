import { percent } from "../../shared/format.ts";
import type { ImageRecord } from "../../shared/results.ts";
import { pairedP } from "../metrics/statistics.ts";
import type { ComparingRule, Comparison } from "./compare.ts";
import type { ComparedAttack } from "./evidence.ts";
import { brokenByOnlyOne } from "./paired.ts";

/**
 * The defence withstands the attack that was made for another model, not the one that knows it: the transferred images leave
 * significantly more images correct than on the undefended model, the adaptive attack breaks significantly more than they do, and with it
 * at least half of the apparent gain is gone. Both differences have to be significant, so the larger P counts. Without an adaptive attack
 * beside it, a transferred one is reported as it is.
 */
export const rb008: ComparingRule = {
  id: "RB008",
  compare: (attacks) =>
    attacks.flatMap((attack): Comparison[] => (attack.knowledge === "static" ? [onlyStatic(attack)] : threeWays(attack))),
};

const onlyStatic = (attack: ComparedAttack): Comparison => ({
  of: attack,
  p: null,
  raised: {
    message: "This arm has a defence, and the attack was made without it: the accuracy shows only how well its images transfer.",
    fix: 'Evaluate the defence with an attack that knows about it. In an experiment remove "knowledge": "static"; on the command line leave out --static or give --adaptive; for a patch set "mode": "whitebox".',
  },
});

function threeWays(attack: ComparedAttack): Comparison[] {
  // A smallest change ends at the boundary of the network that it was made on: that it does not reach another one's says nothing of a defence.
  if (!attack.static || attack.minimizes !== null) return [];
  const { undefended, transferred } = attack.static;
  const [before, seen, adaptive] = [accuracy(undefended), accuracy(transferred), accuracy(attack.records)];
  if (before === null || seen === null || adaptive === null) return [];
  const wasCorrect = new Map(undefended.map((record) => [record.index, record.prediction === record.label]));
  const gained = transferred.filter((record) => record.prediction === record.label && wasCorrect.get(record.index) === false).length;
  const lost = transferred.filter((record) => record.prediction !== record.label && wasCorrect.get(record.index) === true).length;
  const { onlyA, onlyB } = brokenByOnlyOne(attack.records, transferred);
  const raised = {
    message: `The defence withstands only an attack that does not know it: accuracy is ${percent(seen)} on images made against the undefended model (which has ${percent(before)} on them) and ${percent(adaptive)} when ${attack.name} is made against the defence.`,
    fix: "Report the adaptive figure; the static one only shows that the images transfer poorly.",
  };
  const isHalfGone = adaptive - before <= (seen - before) / 2;
  return [{ of: attack, p: Math.max(pairedP(gained, lost), pairedP(onlyA, onlyB)), raised: isHalfGone ? raised : null }];
}

const accuracy = (records: readonly ImageRecord[]): number | null =>
  records.length === 0 ? null : records.filter((record) => record.prediction === record.label).length / records.length;
