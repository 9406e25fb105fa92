import { pairedP } from "../metrics/statistics.ts";
import type { ComparingRule } from "./compare.ts";
import { brokenByOnlyOne } from "./paired.ts";
import { images } from "./words.ts";

/** Images made for the undefended model break significantly more than the attack that knows the defence; paired. */
export const rb307: ComparingRule = {
  id: "RB307",
  compare: (attacks) =>
    attacks.flatMap((attack) => {
      if (!attack.static) return [];
      const { onlyA, onlyB } = brokenByOnlyOne(attack.static.transferred, attack.records);
      const raised = {
        message: `The adaptive attack is the weaker one: ${images(onlyA)} ${onlyA === 1 ? "falls" : "fall"} only to images made against the undefended model, ${onlyB} only to the attack that knows the defence.`,
        fix: "Give the adaptive attack more steps or queries, and read the worst case, which counts an image as broken when either breaks it.",
      };
      return [{ of: attack, p: pairedP(onlyA, onlyB), raised }];
    }),
};
