import "../../../../src/engine/backends/cpu.ts";
import { describe, expect, it } from "vitest";
import type { ModelFacts, Params } from "../../../../src/engine/define/index.ts";
import { resolveParams } from "../../../../src/engine/define/index.ts";
import { find } from "../../../../src/engine/registry.ts";

const mnist: ModelFacts = { inputShape: [28, 28, 1], classes: 10 };
const check = (id: string, given: Params, facts: ModelFacts = mnist) => {
  const attack = find("attack", id);
  return () => attack.check?.(resolveParams(attack.params, given, id), facts);
};
const refusal = (code: string, message: RegExp) => expect.objectContaining({ code, message: expect.stringMatching(message) });

describe("before anything runs", () => {
  it("the N-pixel attack refuses more pixels than the image has, and a class that is none", () => {
    const tiny: ModelFacts = { inputShape: [4, 4, 3], classes: 3 };
    expect(check("nPixel", { pixels: 16, target: 2 }, tiny)).not.toThrow();
    expect(check("nPixel", { pixels: 17 }, tiny)).toThrow(refusal("PARAMETER_INVALID", /17 pixels.*4×4/));
    expect(check("nPixel", { target: 3 }, tiny)).toThrow(refusal("PARAMETER_INVALID", /class 3.*has 3/));
  });

  it("the N-pixel attack refuses a budget that pays for no generation, where it searches at all", () => {
    const message = /^queryBudget 300 does not pay for one generation of 400: /;
    expect(check("nPixel", { queryBudget: 300 })).toThrow(refusal("PARAMETER_INVALID", message));
    expect(check("nPixel", { queryBudget: 400 })).not.toThrow();
    expect(check("nPixel", { queryBudget: 300, popSize: 100 })).not.toThrow();
    expect(check("nPixel", { queryBudget: 300, strategy: "randomShift" })).not.toThrow();
    expect(check("nPixel", { queryBudget: 0 })).not.toThrow();
  });

  it("a patch refuses an image that is smaller, an area below a pixel, a class that is none", () => {
    const wide: ModelFacts = { inputShape: [4, 16, 1], classes: 10 };
    expect(check("adversarialPatch", { area: 0.5 }, wide)).toThrow(
      refusal("PARAMETER_INVALID", /6×6 pixels, larger than the image of 4×16/),
    );
    // round(√(0.25·784)) = 14 pixels, three times as large 42
    expect(check("adversarialPatch", { area: 0.25, scaleMax: 3 })).toThrow(refusal("PARAMETER_INVALID", /42×42/));
    expect(check("adversarialPatch", { area: 0.0003 })).toThrow(refusal("PARAMETER_INVALID", /no pixel/));
    expect(check("adversarialPatch", { target: 10 })).toThrow(refusal("LABEL_RANGE", /class 10/));
    expect(check("adversarialPatch", { area: 0 })).not.toThrow();
    expect(check("adversarialPatch", { target: 9, area: 0.25, scaleMax: 2 })).not.toThrow();
    expect(check("adversarialPatch", { area: 0.5, patch: "mine.png" }, wide)).not.toThrow();
  });
});
