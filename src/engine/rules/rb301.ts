import type { Finding } from "../../shared/results.ts";
import type { ComparedAttack } from "../harness/types.ts";
import { armOf, epsOf, isTargeted, weakerBreaksMore } from "./paired.ts";

/** RB301: at the same radius a single step breaks significantly more images than many steps do; paired on the same images of one arm. */
export function rb301(single: ComparedAttack, iterative: ComparedAttack): Finding | null {
  const eps = epsOf(single);
  if (single.iterative || !iterative.iterative || eps === undefined || eps !== epsOf(iterative) || single.arm !== iterative.arm)
    return null;
  if (isTargeted(single) || isTargeted(iterative)) return null;
  const evidence = weakerBreaksMore(single, iterative);
  if (!evidence) return null;
  return {
    rule: "RB301",
    severity: "warning",
    message: `Suspicious because a single step beats many: ${evidence}.`,
    fix: "Try the margin loss, random restarts or a smaller step: the gradient is probably masked.",
    ...armOf(iterative),
    attack: iterative.summary.attack.id,
  };
}
