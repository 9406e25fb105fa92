import type { StaticResult } from "../../shared/results.ts";
import { attackSurface } from "../classifier/surface.ts";
import { defenseSuccessOfFooled, targetOf } from "../metrics/robustness.ts";
import { isUndefended, type ResolvedArm } from "./arms.ts";
import { type ArmAttack, attackArm } from "./attackArm.ts";
import type { RunEnvironment } from "./environment.ts";
import type { OpenArm } from "./openArm.ts";
import { isAdaptive } from "./prepareArm.ts";
import type { FurtherAttack, ResolvedAttack } from "./resolve.ts";
import { staticResult, transferArm } from "./transferArm.ts";

/**
 * One attack on one arm. A defended arm is attacked twice: by one who knows the defence, and with the images that were made without it.
 * Both stand in the summary, side by side. An attack that is itself made without it (a patch of mode transfer) is static only. The
 * control arm, undefended, is shown the same images.
 */
export async function attackDefended(
  arm: ResolvedArm,
  open: OpenArm,
  attack: ResolvedAttack | FurtherAttack,
  env: RunEnvironment,
): Promise<ArmAttack> {
  const own = await attackArm(arm, open, attack, env);
  const finished = env.attacked.get(arm.name) ?? new Map<string, ArmAttack>();
  env.attacked.set(arm.name, finished);
  const summarized = await besideStatic(arm, open, own, env);
  finished.set(attack.key, summarized);
  return summarized;
}

async function besideStatic(arm: ResolvedArm, open: OpenArm, own: ArmAttack, env: RunEnvironment): Promise<ArmAttack> {
  const { attack } = own;
  const sourceArm = env.sources.of(arm);
  const source = sourceArm && env.attacked.get(sourceArm.name)?.get(attack.key);
  if (isUndefended(arm)) {
    if (arm !== env.sources.control || !source) return own;
    const { result } = await transferArm(arm, open, own, source, env);
    return { ...own, summary: { ...own.summary, static: result } };
  }
  const { how } = attackSurface(open.classifier, "adaptive");
  const mode = isAdaptive(attack) ? "adaptive" : "static";
  const summary = { ...own.summary, mode, ...(mode === "adaptive" ? { how } : {}) } as const;
  if (!sourceArm || !source) return { ...own, summary };
  const [adaptive, undefended] = [own.document.images, source.document.images];
  const target = targetOf(own.summary.attack);
  const fooled = defenseSuccessOfFooled(adaptive, undefended, target);
  const controlled = controlOf(sourceArm, attack.key, env);
  if (mode === "static") {
    const result = { ...staticResult(sourceArm.name, adaptive, undefended, target), ...controlled };
    return { ...own, summary: { ...summary, static: result, defenseSuccessOfFooled: fooled } };
  }
  const { result, records } = await transferArm(arm, open, own, source, env);
  const both = { ...summary, static: { ...result, ...controlled }, defenseSuccessOfFooled: fooled };
  return { ...own, summary: both, transferred: { undefended, transferred: records } };
}

/** What the same images did to the control arm, which has been attacked before. */
function controlOf(source: ResolvedArm, key: string, env: RunEnvironment): Pick<StaticResult, "control"> {
  const { control, undefended } = env.sources;
  const shown = control && source === undefended ? env.attacked.get(control.name)?.get(key)?.summary.static : undefined;
  if (!control || !shown) return {};
  const { attacked, defenseSuccessOfFooled: ofFooled } = shown;
  return { control: { arm: control.name, attacked, defenseSuccessOfFooled: ofFooled } };
}
