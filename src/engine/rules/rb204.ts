import { isFooledWithin } from "../metrics/iterations.ts";
import { isCleanCorrect } from "../metrics/robustness.ts";
import { binomialTail } from "../metrics/statistics.ts";
import type { AttackEvidence } from "./evidence.ts";
import type { Rule } from "./rule.ts";
import { images } from "./words.ts";

/**
 * Share of the images that may fall in the last quarter of the iterations of an attack that has ended. On CIFAR-10, where PGD gains less
 * than half a point from 20 to 40 steps, it is about 0.2 %; on MNIST, where it gains 1.4 points, 0.6 % (Wu et al. 2022, Table 6).
 */
const settled = 0.0025;
/** Every attack of a run is tested, so that chance has many occasions. */
const level = 0.01;

/**
 * More images fall in the last quarter of the iterations than chance would show of an attack that has ended, and no fewer are left: a longer run
 * breaks more. Read from one run, as iterates are recorded.
 */
export const rb204: Rule<AttackEvidence> = {
  id: "RB204",
  check({ records, steps }) {
    if (!steps) return null;
    const { iterations, parameter, value } = steps;
    const quarter = Math.floor(iterations / 4);
    const right = records.filter(isCleanCorrect);
    const late = right.filter((record) => isFooledWithin(record, iterations) && !isFooledWithin(record, iterations - quarter)).length;
    const left = right.filter((record) => !record.success).length;
    if (late > left || binomialTail(late, right.length, settled) >= level) return null;
    return {
      message: `The attack had not ended: of ${images(right.length)} that were right, ${late} fell in the last ${quarter} of its ${iterations} iterations, and ${left} had not.`,
      fix: `Use more "${parameter}", such as ${2 * value}, until hardly any image falls at the end.`,
      edit: { parameter, value: 2 * value },
    };
  },
};
