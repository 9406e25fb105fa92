import type { FileRule } from "./rule.ts";
import { at } from "./tree.ts";

/** No seed: another one may be the default some day. */
export const rb009: FileRule = {
  id: "RB009",
  scope: "file",
  check({ root }) {
    if (at(root, "seed") || !root.children?.length) return [];
    const fix = { title: 'Insert "seed": 1', span: { offset: root.offset + 1, length: 0 }, text: '\n  "seed": 1,', isPreferred: true };
    const message = "No seed is given, so 1 is used; write it down for a run that others can repeat.";
    return [{ message, span: { offset: root.offset, length: 1 }, fixes: [fix] }];
  },
};
