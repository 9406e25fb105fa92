import { afterAll, beforeAll, describe, it } from "vitest";
import { useBackend } from "../../src/engine/backends/index.ts";
import type { Classifier } from "../../src/engine/classifier/classifier.ts";
import { classifierOf } from "../../src/engine/classifier/network.ts";
import { defenseChecks } from "../../src/engine/conformance/defenseChecks.ts";
import type { InferenceDefense } from "../../src/engine/define/index.ts";
import { convNetwork } from "../unit/engine/fixtures.ts";
import { backends, shapes } from "./subjects.ts";

const rows = backends.flatMap((backend) => shapes.map((shape) => [backend, shape.join("×"), shape] as const));

/** What every defence in front of a model keeps, whatever it does. */
export function defenseConformance(entries: readonly InferenceDefense[]): void {
  describe.each(rows)("on %s, images of %s", (backend, _, shape) => {
    beforeAll(() => useBackend(backend));
    describe.each(entries.map((entry) => [entry.id, entry] as const))("%s", (_id, entry) => {
      let model: Classifier;
      beforeAll(() => {
        model = classifierOf(convNetwork({ shape: [...shape] }), { contract: { input: {} }, outputs: "logits" });
      });
      afterAll(() => model.dispose());
      for (const { name, run } of defenseChecks(entry, () => model, shape)) it(name, run);
    });
  });
}
