import { percent } from "../../shared/format.ts";
import type { ArmEvidence } from "./evidence.ts";
import type { Rule } from "./rule.ts";
import { images } from "./words.ts";

/** So many images of other classes are needed, and such a share of them gets the answer of all the rest. */
const [fewest, nearlyAll] = [5, 0.95];

const trainMore = 'Train for more "epochs" or with a smaller "learningRate"';
const checkInput =
  "Check that the model gets its images as it was trained (`bulwark probe MODEL --dataset …` tries ranges, channel orders and orders of labels) and that its file has the trained weights";

/** Before any attack nearly every image gets the same class, whatever class it is of. */
export const rb407: Rule<ArmEvidence> = {
  id: "RB407",
  check({ clean, isTrainedHere, hasFront }) {
    const counts = new Map<number, number>();
    for (const { cleanPrediction } of clean) counts.set(cleanPrediction, (counts.get(cleanPrediction) ?? 0) + 1);
    const [answer] = [...counts].sort((a, b) => b[1] - a[1])[0] ?? [];
    const others = clean.filter(({ label }) => label !== answer);
    const same = others.filter(({ cleanPrediction }) => cleanPrediction === answer).length;
    if (answer === undefined || others.length < fewest || same < nearlyAll * others.length) return null;
    return {
      message: `The answer hardly depends on the image: class ${answer} for ${same} of ${images(others.length)} of other classes, before any attack (${percent(same / others.length)}). There is nothing left that an attack could lower.`,
      fix: `${isTrainedHere ? trainMore : checkInput}${hasFront ? ", and check what the defence in front leaves of the images" : ""}.`,
    };
  },
};
