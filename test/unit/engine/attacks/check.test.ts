import "../../../../src/engine/backends/cpu.ts";
import { describe, expect, it } from "vitest";
import type { ModelFacts, Params } from "../../../../src/engine/define/index.ts";
import { labelOf, resolveParams } from "../../../../src/engine/define/index.ts";
import { bind, find } from "../../../../src/engine/registry.ts";

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

  it("gradient attacks refuse a class that is none, and a radius in units of 255", () => {
    for (const id of ["bim", "cwPgd", "fgsm", "pgd"]) {
      expect(check(id, { target: 9, eps: 1 })).not.toThrow();
      expect(check(id, { target: 10 })).toThrow(refusal("PARAMETER_INVALID", /class 10.*has 10/));
      const radius = (given: Params) => () => bind("attack", { kind: id, ...given });
      expect(radius({ eps: 8 })).toThrow(refusal("PARAMETER_INVALID", new RegExp(`^${find("attack", id).title}: eps is 8`)));
      expect(radius({ eps: 8 })).toThrow(expect.objectContaining({ fix: 'Use 8/255 = 0.03137, or "norm": "l2".' }));
      expect(radius({ eps: 8, norm: "l2" })).not.toThrow(); // an L2 ball may be that large
    }
  });

  it("attacks that know no L2 ball do not offer one", () => {
    for (const id of ["stepLL", "iterStepLL"])
      expect(() => bind("attack", { kind: id, eps: 8 })).toThrow(expect.objectContaining({ fix: "Use 8/255 = 0.03137." }));
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

describe("an attack without limits", () => {
  const facts: ModelFacts = { inputShape: [2, 2, 3], classes: 3 };
  const unbounded = (given: Params) => find("attack", "pgd").unbounded?.(resolveParams(find("attack", "pgd").params, given, "pgd"), facts);

  it("has a ball that holds every image, aims at no class and keeps its steps", () => {
    expect(unbounded({ eps: 0.1, steps: 7, target: 2, restarts: 5 })).toMatchObject({
      eps: 1,
      steps: 7,
      stepSize: 0.1,
      target: -1,
      restarts: 1,
    });
    for (const id of ["bim", "cwPgd"])
      expect(find("attack", id).unbounded?.(bind("attack", { kind: id, target: 2 }).params, facts)).toMatchObject({ eps: 1, target: -1 });
    expect(unbounded({ norm: "l2" })).toMatchObject({ eps: Math.sqrt(12), stepSize: 0 }); // the diagonal of [0,1]^12
  });
});

describe("the name of an attack in tables", () => {
  it("says what its parameters say, and no default", () => {
    const label = (id: string, given: Params = {}) => labelOf(bind("attack", { kind: id, ...given }));
    expect(label("fgsm", { eps: 0.3 })).toBe("FGSM, ε 0.3");
    expect(label("fgsm", { eps: 1, norm: "l2" })).toBe("FGM, L2, ε 1");
    expect(label("pgd")).toBe("PGD-40, ε 8/255");
    expect(label("pgd", { steps: 10, restarts: 5, loss: "margin", target: 3 })).toBe("PGD-10, ε 8/255, 5 restarts, margin loss, target 3");
    expect(label("bim", { momentum: 1 })).toBe("BIM-10, ε 8/255, momentum 1");
    expect(label("cwPgd", { eps: 0.3, steps: 100, restarts: 2 })).toBe("CW-PGD-100, ε 0.3, 2 restarts");
    expect([label("stepLL"), label("iterStepLL")]).toEqual(["StepLL, ε 16/255", "Iter-StepLL-3, ε 4/255"]);
    expect(label("nPixel", { pixels: 3 })).toBe("3-pixel attack");
    expect(label("nPixel", { pixels: 4 })).toBe("4-pixel attack, upper bound");
    expect(label("nPixel", { pixels: 8, strategy: "randomShift" })).toBe("8-pixel random shift");
    expect(label("greedyPixels", { pixels: 8 })).toBe("8-pixel greedy attack");
    expect(label("sparseRs", { mode: "patch", side: 7 })).toBe("Sparse-RS, 7×7 patch");
    expect(label("adversarialPatch", { target: 3 })).toBe("Patch of 10 %, transfer, target 3");
    expect(label("adversarialPatch", { patch: "runs/a/patch.png" })).toBe("Patch patch.png");
  });
});
