import { percent } from "../../shared/format.ts";
import type { ComparingRule } from "./compare.ts";
import type { ComparedAttack } from "./evidence.ts";

/** Under so few images a curve is flat by chance. */
const fewest = 10;
/** Budgets that are compared: at least two doublings apart. */
const widening = 4;
/**
 * Below this fall for each doubling of the budget a curve is flat. A network from 73.7 % at ε 2/255 to 66.2 % at 16/255, which only seemed
 * robust (Ranjan et al. 2017), falls by 2.5 points a doubling.
 */
const fallPerDoubling = 0.025;
/** Images that withstand the largest budget, of those that were right: below, there is little left to break. */
const left = 0.5;

/**
 * Accuracy under an attack hardly falls while its budget grows at least fourfold, and half of the images withstand the largest. No test:
 * that nothing changes is not a difference that chance explains.
 */
export const rb304: ComparingRule = {
  id: "RB304",
  compare: (attacks) =>
    laddersOf(attacks).flatMap((ladder) => {
      const [smallest, largest] = [ladder[0], ladder.at(-1)];
      if (!smallest || !largest || radiusOf(largest) < widening * radiusOf(smallest)) return [];
      const [before, after] = withstood(smallest, largest);
      const doublings = Math.log2(radiusOf(largest) / radiusOf(smallest));
      const [n, more, fewer] = [before.length, count(before), count(after)];
      if (n < fewest || fewer / n < left || (more - fewer) / n >= fallPerDoubling * doublings) return [];
      const [from, to] = [percent(more / n), percent(fewer / n)];
      const message = `The curve stays flat: of the images that were right, ${from} withstand ${smallest.name} and ${to} withstand ${largest.name}.`;
      return [{ of: largest, p: null, raised: { message, fix: strongerThan(largest) } }];
    }),
};

/** Images that were made without the defence show how well they transfer, and RB008 says that. */
const hasBudget = ({ ball, knowledge }: ComparedAttack): boolean => ball !== null && ball.radius > 0 && knowledge !== "static";
const radiusOf = ({ ball }: ComparedAttack): number => ball?.radius ?? 0;

/** The same attack on the same arm with growing budgets. */
function laddersOf(attacks: readonly ComparedAttack[]): ComparedAttack[][] {
  const ladders = new Map<string, ComparedAttack[]>();
  for (const attack of attacks.filter(hasBudget)) {
    const key = JSON.stringify([attack.arm, attack.id, attack.target, attack.ball?.norm]);
    ladders.set(key, [...(ladders.get(key) ?? []), attack]);
  }
  return [...ladders.values()].map((ladder) => ladder.sort((a, b) => radiusOf(a) - radiusOf(b)));
}

const count = (values: readonly boolean[]): number => values.filter(Boolean).length;

/** Whether the images that both were made on, and that were right before, withstand the one and the other. */
function withstood(a: ComparedAttack, b: ComparedAttack): readonly [readonly boolean[], readonly boolean[]] {
  const others = new Map(b.records.map((record) => [record.index, record]));
  const pairs = a.records.flatMap((record) => {
    const other = others.get(record.index);
    return other && record.cleanPrediction === record.label ? [[record, other] as const] : [];
  });
  return [pairs.map(([one]) => one.prediction === one.label), pairs.map(([, one]) => one.prediction === one.label)];
}

function strongerThan({ id, ball }: ComparedAttack): string {
  if (ball?.norm === "l0")
    return id === "greedyPixels"
      ? 'Attack with sparseRs, which needs no gradient, and give it many "queries".'
      : 'Attack with greedyPixels at the same "pixels", which follows the gradient, before trusting the curve.';
  return id === "pgd"
    ? 'Attack with "loss": "margin" and more "restarts"; if the curve stays flat, the gradient is probably masked: try sparseRs, which needs none.'
    : 'Attack with pgd, "loss": "margin" and several "restarts", before trusting the curve.';
}
