import { Type } from "@sinclair/typebox";
import type { KnownFrom } from "./contract.ts";
import { fitRules } from "./fit.ts";
import type { PatchDocument } from "./patch.ts";
import type { AttackImageResult } from "./pictureAttack.ts";
import { finding } from "./reportShape.ts";
import {
  fields,
  fileInside,
  flag,
  list,
  measured,
  natural,
  num,
  oneOf,
  orNull,
  pairOf,
  type Shape,
  text,
  tripleOf,
  whole,
} from "./shapes.ts";
import { verdictKinds } from "./verdict.ts";

/** Shapes of what lies in the run folder of one picture, and beside a patch. Fields that older versions had not are optional. */
const optional = Type.Optional;
const score = Type.Object({ index: whole, name: text, probability: measured });
const pick = Type.Object({ id: text, params: fields });
const norms = Type.Object({ linf: measured, l2: measured, l0: measured });
const state = Type.Object({ image: fileInside, prediction: score, scores: list(score) });

/** `result.json` of an attack on one picture. */
export const attackImageResult: Shape<AttackImageResult> = Type.Object({
  directory: text,
  run: text,
  size: tripleOf(natural),
  label: score,
  labelKnown: flag,
  reference: optional(score),
  survivedRounding: optional(flag),
  labelSource: optional(orNull(Type.Object({ kind: oneOf(["folder", "labelFile", "annotation", "person"]), name: text }))),
  target: optional(orNull(score)),
  verdict: optional(oneOf(verdictKinds)),
  before: state,
  after: state,
  difference: fileInside,
  differenceMax: measured,
  norms,
  success: flag,
  successAfter8Bit: flag,
  repaired: optional(Type.Literal(true)),
  inFile: optional(score),
  iterations: natural,
  seconds: measured,
  trace: list(
    Type.Object({
      iteration: natural,
      trueProbability: measured,
      otherProbability: measured,
      otherClass: whole,
      step: orNull(Type.Object({ image: fileInside, norms, scores: list(score) })),
    }),
  ),
  attack: pick,
  attackLabel: optional(text),
  defenses: list(pick),
  how: orNull(text),
  upperBound: optional(text),
  findings: list(finding),
  notes: optional(list(text)),
  fit: optional(orNull(Type.Object({ rule: oneOf(fitRules), from: pairOf(natural), to: pairOf(natural) }))),
  classNamesSource: optional(orNull(Type.Object({ kind: Type.Unsafe<KnownFrom["kind"]>(text), text }))),
  made: optional(Type.Object({ image: text, model: Type.Object({ file: text, sha256: text }), seed: num, software: text })),
  commandLine: text,
});

const figures = { images: natural, successRate: orNull(num), targetRate: orNull(num), logProbability: orNull(num) };
/** `patch.json`. */
export const patchDocument: Shape<PatchDocument> = Type.Object({
  version: Type.Literal(1),
  file: fileInside,
  sha256: text,
  shape: oneOf(["disc", "square"]),
  size: pairOf(natural),
  imageSize: tripleOf(natural),
  area: num,
  coverage: num,
  target: orNull(Type.Object({ index: whole, name: text })),
  transforms: Type.Object({ rotation: num, scaleMin: num, scaleMax: num }),
  training: Type.Object({
    key: optional(text),
    params: fields,
    seed: num,
    backend: text,
    images: text,
    imageCount: natural,
    model: Type.Object({ name: text, sha256: orNull(text) }),
    steps: natural,
    seconds: measured,
    history: list(Type.Object({ ...figures, step: natural })),
    bestStep: optional(natural),
    figures: Type.Object(figures),
    before: optional(Type.Object(figures)),
  }),
});
