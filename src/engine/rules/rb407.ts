import type { ArmEvidence } from "./evidence.ts";
import type { Rule } from "./rule.ts";
import { images } from "./words.ts";

/** So many images of other classes must get the same answer: an arm that knows anything gets one of them right, or another one. */
const others = 5;

/** Clean or attacked, every image gets the same class, although the images are of several classes. */
export const rb407: Rule<ArmEvidence> = {
  id: "RB407",
  check({ attacks }) {
    const answer = attacks[0]?.[0]?.cleanPrediction;
    const isConstant = attacks.every((records) =>
      records.every((record) => record.cleanPrediction === answer && record.prediction === answer),
    );
    const judged = Math.max(0, ...attacks.map((records) => records.length));
    const wrong = Math.max(0, ...attacks.map((records) => records.filter(({ label }) => label !== answer).length));
    if (!isConstant || wrong < others) return null;
    return {
      message: `The model answers class ${answer} for all ${images(judged)}, clean or attacked; ${wrong} of them are of another class. No attack can lower its accuracy.`,
      fix: "Train it longer or with a smaller learning rate, and check what a defence in front leaves of the images.",
    };
  },
};
