import { createHash } from "node:crypto";
import path from "node:path";
import type { AttackSummary, Choice, ImageRecord } from "../../shared/results.ts";
import { rb209 } from "../rules/rb209.ts";
import { trainedOnJudged } from "../rules/rb210.ts";
import type { Covered } from "./covering.ts";
import type { MadePatch } from "./makePatch.ts";
import type { Patch } from "./patch.ts";
import { rgbaOf } from "./save.ts";

/** A patch that was made for an attack, and the parameters that the attack then has: those of a patch from a file are its own. */
export interface AttackPatch {
  readonly patch: Patch;
  readonly params: Choice["params"];
  /** PNG of a patch that was trained for this run, relative to the run folder; the file that was named otherwise; null for area 0. */
  readonly file: string | null;
  readonly gradientEvaluations: number;
  /** Of its cells: finished batches are only good for the same patch. */
  readonly hash: string;
  /** It was trained on the images that it is put to. */
  readonly isOnItsOwn: boolean;
}

/** @param stem of the files in the run folder */
export function attackPatch(
  made: MadePatch,
  params: Choice["params"],
  o: { readonly stem: string; readonly isOnItsOwn: boolean },
): AttackPatch {
  const given = String(params["patch"] ?? "");
  const target = made.patch.target ?? -1;
  return {
    patch: made.patch,
    params: { ...params, target },
    file: given === "" ? made.document && `${o.stem}.png` : path.resolve(given),
    gradientEvaluations: made.gradientEvaluations,
    hash: createHash("sha256").update(rgbaOf(made.patch)).digest("hex"),
    isOnItsOwn: o.isOnItsOwn && given === "",
  };
}

/** The summary of an attack with what its patch adds to it. @param records what it did to the images that `covered` is about */
export function withPatch(summary: AttackSummary, made: AttackPatch, records: readonly ImageRecord[], covered: Covered): AttackSummary {
  const findings = [made.isOnItsOwn ? trainedOnJudged() : null, rb209(records, covered.records)];
  return {
    ...summary,
    gradientEvaluations: summary.gradientEvaluations + made.gradientEvaluations,
    ...(made.file === null ? {} : { patch: made.file }),
    covering: covered.covering,
    findings: [...summary.findings, ...findings.flatMap((finding) => (finding ? [{ ...finding, attack: summary.attack.id }] : []))],
  };
}
