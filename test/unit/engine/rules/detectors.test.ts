import { describe, expect, it } from "vitest";
import { detectorRules } from "../../../../src/engine/rules/index.ts";
import { findingsOf } from "../../../../src/engine/rules/rule.ts";

describe("RB402, RB403 and RB404", () => {
  const detector = {
    name: "MVM, 1 × pixels",
    randomised: true,
    evasionPasses: 10,
    attacks: 3,
    adaptive: 1,
    thresholdImages: 900,
    sharedImages: 0,
  };
  const found = (more: Partial<typeof detector>) =>
    findingsOf(detectorRules, { ...detector, ...more }, { arm: "a" }).map(({ rule }) => rule);
  it("find a detector that no attack had to evade, and one that was evaded by single draws", () => {
    expect(found({})).toEqual([]);
    expect(found({ adaptive: 0 })).toEqual(["RB403"]);
    expect(found({ evasionPasses: 1 })).toEqual(["RB402"]);
    expect(found({ evasionPasses: 1, randomised: false })).toEqual([]);
    expect(found({ evasionPasses: 1, adaptive: 0 })).toEqual(["RB403"]);
    expect(found({ attacks: 0, adaptive: 0 })).toEqual([]);
  });

  it("find a detector without images for a threshold, and validation images that are test images too", () => {
    expect(found({ thresholdImages: 0 })).toEqual(["RB404"]);
    expect(found({ thresholdImages: 0, attacks: 0, adaptive: 0 })).toEqual([]);
    const [one] = findingsOf(detectorRules, { ...detector, sharedImages: 1 }, {});
    expect([one?.rule, one?.severity, one?.message]).toEqual(["RB404", "error", expect.stringContaining("1 image to choose")]);
    expect(findingsOf(detectorRules, { ...detector, thresholdImages: 0 }, {})[0]?.severity).toBe("warning");
  });
});
