import { isWithin } from "../../shared/ledger.ts";
import type { ImageRecord, Radius } from "../../shared/results.ts";
import { pairedP } from "../metrics/statistics.ts";
import type { ComparingRule, Comparison } from "./compare.ts";
import type { ComparedAttack } from "./evidence.ts";
import { images } from "./words.ts";

/**
 * An attack that looks for the smallest change finds adversarial images within a radius, where the attack of that radius says that there are
 * none, significantly more often than the other way round; paired on the same images of one arm.
 */
export const rb309: ComparingRule = {
  id: "RB309",
  compare: (attacks) =>
    attacks.flatMap((within) => {
      const { ball } = within;
      if (!ball || within.knowledge === "static") return [];
      return attacks.flatMap((smallest): Comparison[] => (isComparable(smallest, within) ? [contradiction(smallest, within, ball)] : []));
    }),
};

const isComparable = (smallest: ComparedAttack, within: ComparedAttack): boolean =>
  smallest.minimizes !== null && smallest.arm === within.arm && smallest.knowledge !== "static" && within.target === null;

const isBroken = ({ prediction, label }: ImageRecord): boolean => prediction !== label;

function contradiction(smallest: ComparedAttack, within: ComparedAttack, ball: Radius): Comparison {
  const others = new Map(smallest.records.map((record) => [record.index, record]));
  let [onlySmallest, onlyWithin] = [0, 0];
  for (const record of within.records) {
    const other = others.get(record.index);
    if (!other || record.cleanPrediction !== record.label) continue;
    const isFound = isBroken(other) && isWithin(other, ball);
    if (isFound && !isBroken(record)) onlySmallest++;
    if (isBroken(record) && !isFound) onlyWithin++;
  }
  return {
    of: within,
    p: pairedP(onlySmallest, onlyWithin),
    raised: {
      ...(within.iterative ? {} : { severity: "warning" }),
      message: `${images(onlySmallest)} ${onlySmallest === 1 ? "withstands" : "withstand"} ${within.name}, although ${smallest.name} found a change within the same radius; only ${onlyWithin} the other way round.`,
      fix: 'Read the worst case, in which these images count as broken; give the attack more "steps" and "restarts", or "loss": "margin".',
    },
  };
}
