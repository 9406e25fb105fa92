import { describe, expect, it } from "vitest";
import { refuseAccidents } from "../../../../src/engine/experiment/expectations.ts";
import type { Expected } from "../../../../src/shared/expect.ts";

const known = {
  arms: ["undefended", "blurred"],
  attacks: [
    { id: "fgsm", key: "fgsm" },
    { id: "pgd", key: "pgd" },
    { id: "pgd", key: "pgd-2" },
  ],
  detectors: [],
};
const refuse = (expected: Expected) => () => refuseAccidents([expected], known);

describe("an expectation that could be met by accident", () => {
  it.each<[string, Expected]>([
    ["neither bound", { metric: "clean.accuracy" }],
    ["an unknown arm", { metric: "clean.accuracy", arm: "blured", min: 0.5 }],
    ["an unknown attack", { metric: "attacked.accuracy", attack: "pdg", min: 0.5 }],
    ["one of two attacks of a kind", { metric: "attacked.accuracy", attack: "pgd", min: 0.5 }],
    ["a bound that every share meets", { metric: "worst.accuracy", min: 0 }],
    ["a bound that every δ meets", { metric: "robustness", attack: "fgsm", max: 1 }],
    ["a detector where there is none", { metric: "detector.auc", min: 0.5 }],
  ])("is refused: %s", (_what, expected) => {
    expect(refuse(expected)).toThrow(expect.objectContaining({ code: "EXPERIMENT_INVALID" }));
  });

  it("is not confused with one that says what it means", () => {
    expect(refuse({ metric: "attacked.accuracy", attack: "pgd-2", arm: "blurred", min: 0.5 })).not.toThrow();
    expect(refuse({ metric: "successRate", attack: "fgsm", max: 0.9 })).not.toThrow();
    expect(refuse({ metric: "worst.accuracy", min: 0.01 })).not.toThrow();
  });
});
