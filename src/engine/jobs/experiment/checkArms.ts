import { BulwarkError } from "../../../shared/errors.ts";
import { resolveParams } from "../../define.ts";
import { find } from "../../registry.ts";
import { planOf } from "../openModel.ts";
import type { RunEnvironment } from "./environment.ts";

/**
 * Builds the network of every defended arm once, with zeros for weights, before any is trained: a patch that does not divide the image or
 * a layer that does not convert is told at once, not when the arms before it are done.
 * @throws what building and conversion throw
 */
export function checkArms({ experiment, data, mode }: RunEnvironment): void {
  if (mode === "evaluate" || experiment.arms.length < 2) return;
  const { dataset, classes } = data;
  const { inputShape } = dataset;
  for (const { name, model, defense } of experiment.arms) {
    if ("file" in model || defense.id === "standard") continue;
    const entry = find("model", model.id);
    const params = resolveParams(entry.params, model.params, model.id);
    const base = entry.build(params, { inputShape, classes, seed: experiment.seed, zeroWeights: true });
    try {
      const network = planOf(defense, inputShape, classes).network(base);
      if (network !== base) network.dispose();
    } catch (thrown) {
      if (!(thrown instanceof BulwarkError)) throw thrown;
      throw new BulwarkError(thrown.code, `${name}: ${thrown.message}`, thrown.fix, { cause: thrown });
    } finally {
      base.dispose();
    }
  }
}
