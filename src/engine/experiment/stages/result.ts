import path from "node:path";
import { percent, plural } from "../../../shared/format.ts";
import { attackDocument } from "../../../shared/reportShape.ts";
import type { AttackDocument, Finding, ImageRecord, Rate, StaticResult } from "../../../shared/results.ts";
import { runFiles, slug } from "../../../shared/runs.ts";
import { labelOf, type Target } from "../../define/index.ts";
import { missingLabels } from "../../evaluation/source.ts";
import { writePicture } from "../../evaluation/write.ts";
import { survivorsAmong, suspiciousAccuracy } from "../../harness/unbounded.ts";
import { readShaped } from "../../io/readShaped.ts";
import { aimedAt } from "../../metrics/robustness.ts";
import { comparedFindings } from "../../rules/compare.ts";
import type { UnboundedEvidence } from "../../rules/evidence.ts";
import { armRules, pairRules } from "../../rules/index.ts";
import { findingsOf } from "../../rules/rule.ts";
import { deviceFindings } from "../../session/deviceWarnings.ts";
import type { RunEnvironment } from "../environment.ts";
import { probedOf } from "../judge.ts";
import type { Piece, PlanFacts } from "../piece.ts";
import type { ResolvedAttack } from "../resolve.ts";
import { gradientsOf } from "./judge.ts";
import { writeImageFiles } from "./ledger.ts";
import { type MergedAttack, mergedAttack } from "./merge.ts";
import { adversarialIn } from "./merged.ts";

/** The document of a single attack, `result.json`. @param pictures files that were named, whose names their pictures bear */
export const resultPiece = (before: readonly Piece[], facts: PlanFacts, pictures: readonly string[]): Piece => ({
  key: "report",
  stage: "report",
  phase: "Writing the result",
  needs: before.map(({ key }) => key),
  cost: facts.n,
  memory: 250e6,
  device: "evaluate",
  run: (env) => writeResult(env, pictures),
});

async function writeResult(env: RunEnvironment, pictures: readonly string[]): Promise<void> {
  const { store, experiment, facts } = env;
  const [arm] = experiment.arms;
  const [attack] = experiment.attacks;
  if (!arm || !attack) throw new Error("a single attack has an arm and an attack");
  const merged = await mergedAttack(arm, attack, env);
  await writeNamed(store.file(merged.file), pictures.slice(0, facts.n), env);
  const document = await readShaped(store.file(facts.layout.records(arm, attack.key)), attackDocument, "Start the attack again.");
  const { classifier } = await env.networks.open(arm);
  const whole = findingsOf(
    armRules,
    {
      departures: [],
      clean: merged.records,
      isTrainedHere: false,
      hasFront: arm.front.length > 0,
      // Two graphs more would have to be compiled, which a single picture does not wait for.
      gradients: pictures.length > 0 ? null : await gradientsOf(classifier, env),
      unbounded: unlimited(attack, merged, classifier.classes),
      probed: probedOf(classifier, env.experiment),
    },
    {},
  );
  const failures = await deviceFindings(store.directory);
  const findings = [...classifier.findings, ...merged.summary.findings, ...staticFindings(attack, merged), ...whole, ...failures];
  const { ids } = await writeImageFiles([arm], env);
  const { notes, labelSources } = env.data;
  const images = document.images.map(({ index, ...record }) => {
    const source = labelSources?.[index];
    return { index, id: ids[index], ...record, ...(source ? { labelSource: source } : {}) };
  });
  const missing = missingLabels(labelSources);
  await store.writeJson(runFiles.result, {
    ...(missing ? withoutAccuracy(document, missing) : document),
    ...(notes.length > 0 ? { notes } : {}),
    images,
    findings,
  });
  const { clean, attacked } = merged.summary;
  const changed = `${clean.correct - attacked.correct} of ${plural(facts.n, "prediction")} changed`;
  const headline = missing ? changed : `${percent(clean.accuracy)} → ${percent(attacked.accuracy)}`;
  await store.update({ headline: `${labelOf(attack)}: ${headline}` });
}

/** Of an attack that may change an image at will, and leaves most of them right. */
function unlimited({ entry, id, key }: ResolvedAttack, { summary, records }: MergedAttack, classes: number): UnboundedEvidence | null {
  const looksRobust = (summary.attacked.accuracy ?? 0) > suspiciousAccuracy;
  if (!entry.minimizes || summary.mode === "static" || !looksRobust) return null;
  return { attack: id, attackKey: key, classes, ...survivorsAmong(records) };
}

/** Pictures without labels: the model's own predictions were attacked, and nothing says how many of them are right. */
function withoutAccuracy(document: AttackDocument, labels: "predicted" | "partly"): AttackDocument {
  const counted = (rate: Rate): Rate => ({ ...rate, accuracy: null });
  const { clean, attacked, covering, static: transferred } = document;
  const both = { clean: counted(clean), attacked: counted(attacked), robustness: null };
  return {
    ...document,
    ...both,
    labels,
    ...(covering ? { covering: { ...covering, attacked: counted(covering.attacked) } } : {}),
    ...(transferred ? { static: staticWithout(transferred, counted) } : {}),
  };
}

function staticWithout(result: StaticResult, counted: (rate: Rate) => Rate): StaticResult {
  const { clean, attacked, control } = result;
  return {
    ...result,
    clean: counted(clean),
    attacked: counted(attacked),
    robustness: null,
    ...(control ? { control: { ...control, attacked: counted(control.attacked) } } : {}),
  };
}

/** Pictures that were named are written under their own names. */
async function writeNamed(adversarial: string, files: readonly string[], { store, facts }: RunEnvironment): Promise<void> {
  for (const [index, file] of files.entries()) {
    const stem = slug(path.basename(file, path.extname(file)));
    const image = await adversarialIn(adversarial, index, index + 1);
    await writePicture(store.file(`${runFiles.images}/${index}-${stem}-adversarial.png`), image, 0, facts.inputShape);
  }
}

/** A static attack is never the last word on a defence: a finding says so. */
function staticFindings(attack: ResolvedAttack, { summary, records }: MergedAttack): Finding[] {
  if (summary.mode !== "static") return [];
  return comparedFindings(pairRules, [comparedOf(attack, records, aimedAt(summary.attack))]).map(({ arm: _arm, ...finding }) => finding);
}

const comparedOf = (attack: ResolvedAttack, records: readonly ImageRecord[], target: Target | null) => ({
  arm: "",
  id: attack.id,
  key: attack.key,
  name: labelOf(attack),
  iterative: attack.entry.iterative,
  access: attack.entry.access,
  ball: null,
  minimizes: null,
  target,
  records,
  knowledge: "static" as const,
});
