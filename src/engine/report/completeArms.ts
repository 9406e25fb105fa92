import { attackLabel, choiceLabel } from "../../shared/labels.ts";
import { keysOf } from "../../shared/ledger.ts";
import type { ArmReport, Choice } from "../../shared/results.ts";
import { labelOf } from "../define/index.ts";
import { bind, type RegistryKind } from "../registry.ts";
import { worstCaseOf } from "./worstCase.ts";

/** Arms as `report.json` has them: with what readers call everything in them, and with the worst case of every image. */
export async function completeArms(arms: readonly ArmReport[], directory: string): Promise<ArmReport[]> {
  const complete: ArmReport[] = [];
  for (const [index, arm] of arms.entries()) {
    const worst = await worstCaseOf(arm, index, directory);
    complete.push({ ...labelled(arm), worst });
  }
  return complete;
}

function labelled(arm: ArmReport): ArmReport {
  const keys = keysOf(arm);
  const defenses = arm.defenses?.map((defense) => withLabel("defense", defense));
  const combined = defenses && defenses.length > 1 ? { ...arm.defense, label: defenses.map((one) => choiceLabel(one)).join(" + ") } : null;
  return {
    ...arm,
    defense: combined ?? withLabel("defense", arm.defense),
    ...(defenses ? { defenses } : {}),
    model: withLabel("model", arm.model),
    attacks: arm.attacks.map((summary, i) => ({
      ...summary,
      key: keys[i] as string,
      label: summary.label ?? attackLabel({ attack: withLabel("attack", summary.attack) }),
    })),
    explanations: arm.explanations.map((explanation) => ({ ...explanation, ...withLabel("explanation", explanation) })),
  };
}

/** The label that the choice's own entry writes; a choice that no entry takes, such as a model file, is left as it is. */
function withLabel(kind: RegistryKind, choice: Choice): Choice {
  try {
    return { ...choice, label: labelOf(bind(kind, { ...choice.params, kind: choice.id })) };
  } catch {
    return choice;
  }
}
