import type { Finding } from "../../shared/results.ts";
import { defenseSuccessOfFooled, targetOf } from "../metrics/robustness.ts";
import { onlyTransferred, rb008 } from "../rules/rb008.ts";
import { rb307 } from "../rules/rb307.ts";
import { type ArmAttack, attackArm, isFurther } from "./attackArm.ts";
import type { RunEnvironment } from "./environment.ts";
import type { OpenArm } from "./openArm.ts";
import { isAdaptive } from "./prepareArm.ts";
import type { FurtherAttack, ResolvedArm, ResolvedAttack } from "./resolve.ts";
import { staticResult, transferArm } from "./transferArm.ts";
import { isUndefended } from "./undefended.ts";

/**
 * One attack on one arm. A defended arm is attacked twice: by one who knows the defence (through the volumizer, which is differentiable),
 * and with the images that were made against the undefended arm. Both stand in the summary, side by side. An attack that is itself made
 * against the undefended arm (a patch of mode transfer) is static only.
 */
export async function attackDefended(
  arm: ResolvedArm,
  open: OpenArm,
  attack: ResolvedAttack | FurtherAttack,
  env: RunEnvironment,
): Promise<ArmAttack> {
  const own = await attackArm(arm, open, attack, env);
  if (arm === env.undefended.arm) {
    env.undefended.attacks.set(attack.key, own);
    return own;
  }
  if (isUndefended(arm)) return own;
  const mode = isAdaptive(attack) ? "adaptive" : "static";
  const source = env.undefended.attacks.get(attack.key);
  const findings = [...own.summary.findings];
  const tell = (raised: readonly (Finding | null)[]): void => {
    for (const finding of raised) {
      if (!finding) continue;
      findings.push({ ...finding, attack: attack.id });
      if (!isFurther(attack)) env.emit({ kind: "finding", finding: { ...finding, arm: arm.name, attack: attack.key } });
    }
  };
  if (!source) {
    if (mode === "static") tell([onlyTransferred()]);
    return { ...own, summary: { ...own.summary, mode, findings } };
  }
  const [adaptive, undefended] = [own.document.images, source.document.images];
  const target = targetOf(own.summary.attack);
  const fooled = defenseSuccessOfFooled(adaptive, undefended, target);
  if (mode === "static") {
    const result = staticResult(env.undefended.arm?.name ?? "", adaptive, undefended, target);
    tell([onlyTransferred()]);
    return { ...own, summary: { ...own.summary, mode, findings, static: result, defenseSuccessOfFooled: fooled } };
  }
  const { result, records } = await transferArm(arm, open, own, source, env);
  tell([rb008({ undefended, transferred: records, adaptive }), rb307(adaptive, records)]);
  return { ...own, summary: { ...own.summary, mode, findings, static: result, defenseSuccessOfFooled: fooled } };
}
