import type { AttackImageResult, ClassScore } from "../../shared/protocol.ts";
import { verdictText } from "../../shared/verdict.ts";
import type { Classifier } from "../classifier/classifier.ts";
import { hashOfModel } from "../importers/index.ts";

const hashes = new WeakMap<Classifier, string>();
/** SHA-256 of the files of an open model; a model that changes on disk is opened anew. @throws what reading a model throws */
export async function modelHash(open: Classifier, model: string): Promise<string> {
  const hash = hashes.get(open) ?? (await hashOfModel(model));
  hashes.set(open, hash);
  return hash;
}

/**
 * Where an adversarial picture comes from, as text of its PNG: a sentence under the keywords of the PNG specification, and all that
 * decides it as JSON under "Bulwark".
 */
export function pictureText(result: AttackImageResult): Readonly<Record<string, string>> {
  const {
    made,
    before,
    after,
    attack,
    attackLabel,
    defenses,
    label,
    labelKnown,
    labelSource,
    target = null,
    verdict = "resisted",
  } = result;
  const named = ({ index, name }: ClassScore) => ({ index, name });
  const scored = ({ index, name, probability }: ClassScore) => ({ index, name, probability });
  const facts = {
    attack,
    defenses,
    ...made,
    label: labelKnown ? { ...named(label), source: labelSource ?? null } : null,
    target: target && named(target),
    cleanPrediction: scored(before.prediction),
    prediction: scored(after.prediction),
    verdict,
    norms: result.norms,
    successAfter8Bit: result.successAfter8Bit,
    repaired: result.repaired ?? false,
    fit: result.fit ?? null,
  };
  const names = { label: labelKnown ? label.name : null, clean: before.prediction.name, adversarial: after.prediction.name };
  return {
    Software: made?.software ?? "Bulwark",
    Title: `${attackLabel ?? attack.id} on ${made?.image ?? "a picture"}`,
    Description: verdictText(verdict, { ...names, target: target?.name ?? null }),
    Bulwark: JSON.stringify(facts),
  };
}
