import { describe, expect, test } from "vitest";
import {
  isSuccess,
  labelText,
  type VerdictKind,
  verdictHeadline,
  verdictKinds,
  verdictOf,
  verdictText,
} from "../../../src/shared/verdict.ts";

const [cat, dog, fox] = [0, 1, 2];

describe("verdict", () => {
  const cases: readonly (readonly [
    what: string,
    label: number | null,
    clean: number,
    after: number,
    target: number | null,
    VerdictKind,
  ])[] = [
    ["a right prediction that changed", cat, cat, dog, null, "fooled"],
    ["a right prediction that stayed", cat, cat, cat, null, "resisted"],
    ["a wrong prediction that stayed", cat, dog, dog, null, "alreadyWrong"],
    ["a wrong prediction that became another wrong one", cat, dog, fox, null, "alreadyWrong"],
    ["a wrong prediction that became right", cat, dog, cat, null, "repaired"],
    ["no label, changed", null, dog, cat, null, "fooled"],
    ["no label, stayed", null, dog, dog, null, "resisted"],
    ["the target class", cat, cat, fox, fox, "reached"],
    ["another class than the target", cat, cat, dog, fox, "notReached"],
    ["of the target class before", cat, fox, fox, fox, "alreadyTarget"],
    ["of the target class before, and no longer", cat, fox, dog, fox, "alreadyTarget"],
    ["the target class from a wrong prediction", cat, dog, fox, fox, "reached"],
    ["the target is the label of a wrong prediction", cat, dog, cat, cat, "reached"],
    ["no label, target", null, dog, fox, fox, "reached"],
  ];
  for (const [what, label, clean, adversarial, target, kind] of cases)
    test(`${what}: ${kind}`, () => expect(verdictOf({ label, clean, adversarial, target })).toBe(kind));

  test("only what fools or reaches the target is a success", () => {
    expect(verdictKinds.filter(isSuccess)).toEqual(["fooled", "reached"]);
  });

  test("is said in a sentence, and in a few words", () => {
    const names = { label: "cat", clean: "dog", adversarial: "cat", target: "fox" };
    expect(verdictText("repaired", names)).toBe("Repaired: dog → cat, which is the label. No success of the attack.");
    expect(verdictText("notReached", names)).toBe("Target class fox not reached: dog → cat.");
    expect(verdictText("fooled", { ...names, label: null })).toContain("(no label)");
    expect(verdictHeadline("alreadyWrong", names)).toBe("already wrong: cat predicted as dog");
    expect(verdictHeadline("fooled", names)).toBe("dog → cat");
  });

  test("says where a label comes from", () => {
    expect(labelText("cat", { kind: "folder", name: "cat" })).toBe("Label: cat, from the folder.");
    expect(labelText("cat", { kind: "labelFile", name: "labels.csv" })).toBe("Label: cat, from labels.csv.");
    expect(labelText("cat", null)).toBe("Label: cat.");
  });
});
