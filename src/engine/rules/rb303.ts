import type { Finding } from "../../shared/results.ts";
import type { ComparedAttack } from "../harness/types.ts";
import { armOf, epsOf, weakerBreaksMore } from "./paired.ts";

/** RB303: accuracy rises with the radius: the same attack breaks significantly more images with a smaller ball. */
export function rb303(a: ComparedAttack, b: ComparedAttack): Finding | null {
  const [epsA, epsB] = [epsOf(a), epsOf(b)];
  if (a.summary.attack.id !== b.summary.attack.id || a.arm !== b.arm || epsA === undefined || epsB === undefined || epsA === epsB)
    return null;
  const [smaller, larger] = epsA < epsB ? [a, b] : [b, a];
  const evidence = weakerBreaksMore(smaller, larger);
  if (!evidence) return null;
  return {
    rule: "RB303",
    severity: "warning",
    message: `Suspicious because accuracy rises with the radius: ${evidence}.`,
    fix: "Check for label leaking in adversarial training, and give the larger radius more or smaller steps.",
    ...armOf(larger),
    attack: larger.summary.attack.id,
  };
}
