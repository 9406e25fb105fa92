import type { AttackEvidence } from "./evidence.ts";
import type { Rule } from "./rule.ts";

/** A patch that is meant for images never seen was trained on the very images that it is judged on. */
export const rb210: Rule<AttackEvidence> = {
  id: "RB210",
  check({ isOnItsOwn, queries }) {
    if (!isOnItsOwn) return null;
    return queries === undefined
      ? {
          message: "The patch was trained on the images that it is judged on; on other images it may do less.",
          fix: "Use a data set with training images, or judge the patch on other images with --set patch=FILE.",
        }
      : {
          message: "The substitute was trained on images that the attack is judged on; on other images it may do less.",
          fix: "Use a data set with training images, which are asked about in their place.",
        };
  },
};
