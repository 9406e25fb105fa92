import { expect, it } from "vitest";
import type { ResolvedArm } from "../../../../src/engine/experiment/arms.ts";
import { attackCost, preparationCost, timingCost } from "../../../../src/engine/experiment/costs.ts";
import type { PlanFacts } from "../../../../src/engine/experiment/piece.ts";
import type { ResolvedAttack } from "../../../../src/engine/experiment/resolve.ts";
import { bind } from "../../../../src/engine/registry.ts";

const arm = { training: [], carried: [], front: [] } as Partial<ResolvedArm> as ResolvedArm;
const behind = { ...arm, front: [bind("defense", { kind: "jpeg" })] } as Partial<ResolvedArm> as ResolvedArm;
const facts = { inputShape: [32, 32, 3], classes: 10 } as Partial<PlanFacts> as PlanFacts;

// In passes of one image: three for judging it, and a gradient counts for three.
it.each([
  [{ kind: "fgsm" }, 3 + 3],
  [{ kind: "lavan", steps: 50 }, 3 + 1 + 3 * 50],
  [{ kind: "lavan", steps: 50, places: 4 }, 3 + 4 * (1 + 3 * 50)],
  [{ kind: "sparseRs", queries: 5000 }, 3 + 5001],
  [{ kind: "adversarialPatch", steps: 60 }, 3 + 1],
])("an attack costs what its passes cost: %j", (attack, cost) => {
  const bound = bind("attack", attack);
  expect(attackCost(arm, bound as Partial<ResolvedAttack> as ResolvedAttack, facts)).toBe(cost);
});

it("a patch costs its steps, ten choices on 64 images each, and twice the figures of 128", () => {
  const cost = (params: object): number | undefined => {
    const { entry, params: all } = bind("attack", { kind: "adversarialPatch", steps: 60, batchSize: 16, ...params });
    return entry.preparation && preparationCost(arm, entry.preparation, all, facts);
  };
  expect(cost({})).toBe(3 * 60 * 16 + 10 * 64 + 2 * 128);
  expect(cost({ steps: 7 })).toBe(3 * 7 * 16 + 7 * 64 + 2 * 128);
  expect(cost({ area: 0 })).toBe(0); // nothing is made
});

it("what stands in front is timed alone as well", () => {
  expect([timingCost(arm, 60, facts), timingCost(behind, 60, facts)]).toEqual([60, 120]);
});
