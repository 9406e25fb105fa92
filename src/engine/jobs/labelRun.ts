import path from "node:path";
import { attackImageResult } from "../../shared/pictureShapes.ts";
import type { AttackImageResult, ClassScore, LabelRunParams } from "../../shared/protocol.ts";
import { runDataset } from "../../shared/runShapes.ts";
import { runFiles } from "../../shared/runs.ts";
import { isSuccess, type VerdictKind, verdictHeadline, verdictOf } from "../../shared/verdict.ts";
import { checkLabel, wordsOfClass } from "../evaluation/trueLabel.ts";
import { writePicture } from "../evaluation/write.ts";
import { readNpz, writeNpz } from "../io/npz.ts";
import { readShaped } from "../io/readShaped.ts";
import { openRun, type RunStore, settle } from "../io/runStore.ts";
import { writeDataset } from "../report/datasetFile.ts";
import { withLabel } from "./commandLine.ts";
import { pictureText } from "./provenance.ts";

/**
 * The result of an attack on a picture once somebody has said its true class: verdict, success and headline follow from the predictions
 * that are there. `result.json`, `dataset.json`, `ledger.npz` and `adversarial.npz` say the label from now on. Attacks nothing.
 * @throws RUN_NOT_FOUND, RUN_INVALID, RUN_LOCKED, LABEL_RANGE
 */
export async function labelRun({ directory, label }: LabelRunParams): Promise<AttackImageResult> {
  const before = await readResult(path.join(directory, runFiles.result));
  checkLabel(label, before.before.scores.length);
  const result = labelled(before, label);
  const store = await openRun(directory);
  const work = async (): Promise<AttackImageResult> => {
    await writeLabels(store, result);
    await store.writeJson(runFiles.result, result);
    await store.update({ headline: headlineOf(result) });
    return result;
  };
  return settle(store, work, (event) => store.append(event));
}

async function readResult(file: string): Promise<AttackImageResult> {
  return readShaped(file, attackImageResult, "Attack the picture again.");
}

/** The same predictions, judged by this label. */
export function labelled(result: AttackImageResult, label: number): AttackImageResult {
  const { before, after } = result;
  const target = result.target?.index ?? null;
  const verdict = verdictOf({ label, clean: before.prediction.index, adversarial: after.prediction.index, target });
  const success = isSuccess(verdict);
  const { inFile } = result;
  const survived = inFile
    ? isSuccess(verdictOf({ label, clean: before.prediction.index, adversarial: inFile.index, target }))
    : (result.survivedRounding ?? result.successAfter8Bit);
  const reference = result.reference ?? result.label;
  const classNames = [...before.scores].sort((a, b) => a.index - b.index).map(({ name }) => name);
  const words = wordsOfClass(label, { classNames, synsets: null });
  return {
    ...result,
    label: scoreOf(before.scores, label, []),
    reference,
    labelKnown: true,
    labelSource: { kind: "person", name: "" },
    verdict,
    success,
    successAfter8Bit: success && survived,
    ...(inFile ? {} : { survivedRounding: survived }),
    // The model's own prediction was attacked: by another label a command would make another picture than the one on show.
    commandLine: withLabel(result.commandLine, label === reference.index ? words : null),
  };
}

async function writeLabels(store: RunStore, result: AttackImageResult): Promise<void> {
  const { label, success, successAfter8Bit } = result;
  const dataset = await readShaped(store.file(runFiles.dataset), runDataset, "Attack the picture again.");
  await writeDataset(store.directory, { ...dataset, labels: [label.index] });
  const flags: Readonly<Record<string, number>> = { label: label.index, success: Number(success), success8: Number(successAfter8Bit) };
  for (const file of [runFiles.ledger, runFiles.adversarial]) {
    const arrays = await readNpz(store.file(file));
    for (const [name, { data }] of Object.entries(arrays)) {
      const value = flags[name.split("/").at(-1) ?? ""];
      if (value !== undefined) data[0] = value;
    }
    await writeNpz(store.file(file), arrays);
    const pixels = arrays["adversarial"];
    if (pixels)
      await writePicture(store.file(result.after.image), Float32Array.from(pixels.data), 0, result.size, { text: pictureText(result) });
  }
}

/** The score of a class, which a result may not list. */
export const scoreOf = (scores: readonly ClassScore[], index: number, classNames: readonly string[]): ClassScore =>
  scores.find((score) => score.index === index) ?? { index, name: classNames[index] ?? String(index), probability: 0 };

/** What lists of runs say of it. */
export function headlineOf({ label, labelKnown, before, after, target, verdict }: AttackImageResult): string {
  const kind: VerdictKind = verdict ?? (before.prediction.index === after.prediction.index ? "resisted" : "fooled");
  const names = { label: labelKnown ? label.name : null, clean: before.prediction.name, adversarial: after.prediction.name };
  return verdictHeadline(kind, { ...names, target: target?.name ?? null });
}
