import { afterAll, beforeAll, describe, it } from "vitest";
import { useBackend } from "../../src/engine/backends/index.ts";
import { attackChecks, type Target } from "../../src/engine/conformance/attackChecks.ts";
import type { Attack } from "../../src/engine/define/index.ts";
import { labelledByModel, randomBatch } from "../unit/engine/fixtures.ts";
import { type Subject, subjectRows } from "./subjects.ts";

const images = 3;

/** What every attack keeps, whatever it does. */
export function attackConformance(entries: readonly Attack[]): void {
  describe.each(subjectRows)("on %s against %s", (backend, _, subject) => {
    beforeAll(() => useBackend(backend));
    describe.each(entries.map((attack) => [attack.id, attack] as const))("%s", (_id, attack) => keepsPromises(attack, subject));
  });
}

function keepsPromises(attack: Attack, subject: Subject): void {
  let target: Target;
  beforeAll(() => {
    const model = subject.make();
    target = { model, batch: labelledByModel(model, randomBatch(images, model.inputShape, model.classes)) };
  });
  afterAll(() => target.model.dispose());
  for (const { name, run } of attackChecks(attack, () => target)) it(name, run);
}
