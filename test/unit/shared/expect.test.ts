import { describe, expect, it } from "vitest";
import { attackNames, type Expectable, type Expected, expectationFault } from "../../../src/shared/expect.ts";

const known: Expectable = {
  arms: ["undefended", "hardened"],
  attacks: [
    { id: "fgsm", key: "fgsm" },
    { id: "pgd", key: "pgd" },
    { id: "pgd", key: "pgd-2" },
  ],
  detectors: [],
};
const fault = (expected: Omit<Expected, "metric"> & { readonly metric?: string }, of: Expectable = known) =>
  expectationFault({ metric: "attacked.accuracy", ...expected }, of);

describe("an expectation", () => {
  it("is sound with a bound and names that the experiment has", () => {
    for (const sound of [
      { min: 0.5 },
      { max: 0 },
      { min: 0.1, max: 0.2, arm: "hardened", attack: "fgsm" },
      { min: 0.1, attack: "pgd-1" },
      { min: 0.1, attack: "pgd-2" },
      { metric: "robustness", min: 0 },
      { metric: "robustness", min: -0.99, max: 0.99 },
      { metric: "clean.accuracy", min: 0.9 },
      { metric: "worst.accuracy", min: 0.1, arm: "undefended" },
    ])
      expect(fault(sound)).toBeNull();
    expect(fault({ metric: "clean.accuracy", min: 0.9 }, { ...known, attacks: [] })).toBeNull();
    expect(fault({ metric: "detector.auc", min: 0.9, detector: "d" }, { ...known, detectors: ["d"] })).toBeNull();
  });

  it.each([
    ["no bound", {}, "metric", /neither min nor max/, undefined],
    ["bounds that exclude each other", { min: 0.6, max: 0.5 }, "min", /can never be met/, undefined],
    ["an arm that is not there", { min: 0, arm: "hardend" }, "arm", /"hardend", which the experiment does not have/, "hardened"],
    ["an attack that is not there", { min: 0, attack: "fgms" }, "attack", /"fgms"/, "fgsm"],
    ["an attack that could be one of two", { min: 0, attack: "pgd" }, "attack", /of which there are 2/, undefined],
    ["a third of two", { min: 0, attack: "pgd-3" }, "attack", /"pgd-3"/, "pgd-1"],
    [
      "an attack for the accuracy on clean images",
      { metric: "clean.accuracy", min: 0, attack: "fgsm" },
      "attack",
      /names the attack/,
      undefined,
    ],
    ["an attack for the worst case", { metric: "worst.accuracy", min: 0, attack: "fgsm" }, "attack", /names the attack/, undefined],
    ["a detector without one in the experiment", { metric: "detector.auc", min: 0 }, "metric", /needs a detector/, undefined],
    ["a detector for another metric", { min: 0, detector: "d" }, "detector", /names a detector/, undefined],
  ] as const)("with %s is refused", (_, expected, key, message, meant) => {
    expect(fault(expected)).toMatchObject({ key, message: expect.stringMatching(message), meant });
  });

  it.each([
    [
      "clean.accuracy",
      { min: -1 },
      "min",
      "has min -1, which every result meets",
      'Write a "min" above 0, or remove it: clean.accuracy lies between 0 and 1.',
    ],
    [
      "worst.accuracy",
      { min: 0 },
      "min",
      "has min 0, which every result meets",
      'Write a "min" above 0, or remove it: worst.accuracy lies between 0 and 1.',
    ],
    [
      "successRate",
      { max: 1 },
      "max",
      "has max 1, which every result meets",
      'Write a "max" below 1, or remove it: successRate lies between 0 and 1.',
    ],
    [
      "defenseSuccess",
      { min: 0, max: 0.5 },
      "min",
      "has min 0, which every result meets",
      'Write a "min" above 0, or remove it: defenseSuccess lies between 0 and 1.',
    ],
    [
      "detector.auc",
      { max: 2 },
      "max",
      "has max 2, which every result meets",
      'Write a "max" below 1, or remove it: detector.auc lies between 0 and 1.',
    ],
    [
      "robustness",
      { min: -1 },
      "min",
      "has min -1, which every result meets",
      'Write a "min" above -1, or remove it: robustness lies between -1 and 1.',
    ],
    [
      "robustness",
      { max: 1 },
      "max",
      "has max 1, which every result meets",
      'Write a "max" below 1, or remove it: robustness lies between -1 and 1.',
    ],
  ] as const)("of %s with a bound that every result meets is refused: %o", (metric, bounds, key, message, fix) => {
    expect(fault({ metric, ...bounds }, { ...known, detectors: ["d"] })).toEqual({ key, message, fix, meant: undefined });
  });

  it("that no result meets is let through, for it cannot pass by accident", () => {
    expect(fault({ min: 1.01 })).toBeNull();
    expect(fault({ metric: "successRate", max: -0.1 })).toBeNull();
  });

  it("says what to write instead of an ambiguous name", () => {
    expect(fault({ min: 0, attack: "pgd" })?.fix).toContain('"pgd-1" or "pgd-2"');
    expect([...attackNames(known.attacks).values()]).toEqual(["fgsm", "pgd-1", "pgd-2"]);
  });

  it("of an attack needs one in the experiment", () => {
    for (const metric of ["attacked.accuracy", "successRate", "defenseSuccess", "robustness", "worst.accuracy", "detector.auc"])
      expect(fault({ metric, min: 0 }, { ...known, attacks: [], detectors: ["d"] })?.message).toBe("needs an attack");
  });
});
