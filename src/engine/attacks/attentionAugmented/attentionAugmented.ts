import { number } from "../../../shared/format.ts";
import { defineAttack, evaluationsOf, labelOf } from "../../define/index.ts";
import { attentionOf } from "./attention.ts";
import { baseOf } from "./base.ts";
import { distracted } from "./distracted.ts";
import { params } from "./params.ts";

/**
 * A³: an attack that moves the network's attention as well. It wraps any gradient attack and adds σ·‖Att₀ − g(x)‖₁ to what that ascends:
 * Att₀ is the attention area of the clean image, g(x) the Grad-CAM map of the iterate for the class the clean image was predicted as
 * (Wu et al. 2022, eq. 12 and 13). σ = 0 is the base attack.
 */
export const attentionAugmented = defineAttack({
  id: "attentionAugmented",
  title: "Attention-augmented attack (A³)",
  paper: "Wu et al. 2022",
  access: "gradients",
  iterative: true,
  params,
  label: (p) => `A³, σ ${number(p.sigma)}${p.reduction === "mean" ? " (mean)" : ""}, around ${labelOf(baseOf(p))}`,
  cheap: {},
  ball(p, facts) {
    const base = baseOf(p);
    return base.entry.ball(base.params, facts);
  },
  iterations(p) {
    const base = baseOf(p);
    return base.entry.iterations?.(base.params) ?? 1;
  },
  evaluations(p, facts) {
    const base = baseOf(p);
    const { forward, gradient } = evaluationsOf(base.entry, base.params, facts);
    // The clean class and the clean map take a pass each, and so does the map at every gradient.
    return p.sigma === 0 ? { forward, gradient } : { forward: forward + 2, gradient: 2 * gradient };
  },
  target(p) {
    const base = baseOf(p);
    return base.entry.target?.(base.params) ?? null;
  },
  criterion(p) {
    const base = baseOf(p);
    return base.entry.criterion?.(base.params);
  },
  check(p, facts) {
    const base = baseOf(p);
    base.entry.check?.(base.params, facts);
  },
  async run(model, batch, p, ctx) {
    const base = baseOf(p);
    if (p.sigma === 0) return base.entry.run(model, batch, base.params, ctx);
    const attention = attentionOf(model, batch.images, p.layer);
    try {
      return await base.entry.run(distracted(model, attention, p), batch, base.params, ctx);
    } finally {
      attention.dispose();
    }
  },
});
