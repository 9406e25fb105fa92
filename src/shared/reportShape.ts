import { Type } from "@sinclair/typebox";
import type { ArmCertificate } from "./certificate.ts";
import type { DetectorResult } from "./detectorResults.ts";
import { chart, figure, format } from "./figures/shape.ts";
import type { AttackDocument, AttackSummary, Finding, ImageRecord, RunReport, StaticResult } from "./results.ts";
import {
  anything,
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
  recordOf,
  type Shape,
  text,
  whole,
} from "./shapes.ts";

/** Shapes of results.ts, by which reports and records of a run folder are read. Fields that older versions had not are optional. */
const optional = Type.Optional;
const choice = { id: text, label: optional(text), params: fields };
const chosen = Type.Object(choice);
const rate = { accuracy: orNull(num), correct: natural };
const norm = oneOf(["linf", "l2", "l0"]);
const interval = orNull(pairOf(num));
const norms = Type.Object({ mean: orNull(num), max: orNull(num) });

export const finding: Shape<Finding> = Type.Object({
  rule: text,
  severity: oneOf(["error", "warning", "info", "hint"]),
  message: text,
  fix: text,
  arm: optional(text),
  attack: optional(text),
  attackKey: optional(text),
  at: optional(Type.Object({ file: text, pointer: text })),
  edit: optional(Type.Object({ pointer: text, value: anything })),
});

const statically: Shape<StaticResult> = Type.Object({
  source: text,
  n: natural,
  clean: Type.Object(rate),
  attacked: Type.Object(rate),
  successRate: orNull(num),
  defenseSuccess: orNull(num),
  defenseSuccessOfFooled: orNull(num),
  robustness: orNull(num),
  control: optional(Type.Object({ arm: text, attacked: Type.Object(rate), defenseSuccessOfFooled: orNull(num) })),
});

const summary = {
  key: optional(text),
  label: optional(text),
  defenses: optional(list(chosen)),
  upperBound: optional(text),
  how: optional(text),
  n: natural,
  attack: chosen,
  defense: orNull(chosen),
  backend: text,
  seed: num,
  clean: Type.Object(rate),
  attacked: Type.Object(rate),
  successRate: orNull(num),
  targetRate: optional(orNull(num)),
  defenseSuccess: orNull(num),
  robustness: orNull(num),
  norms: Type.Object({ linf: norms, l2: norms, l0: norms }),
  distances: optional(Type.Object({ norm, found: natural, of: natural, mean: orNull(num), median: orNull(num) })),
  queries: optional(natural),
  ball: optional(Type.Object({ norm, radius: num })),
  seconds: measured,
  gradientEvaluations: measured,
  forwardEvaluations: measured,
  imagesPerSecond: measured,
  findings: list(finding),
  patch: optional(text),
  covering: optional(Type.Object({ attacked: Type.Object(rate) })),
  mode: optional(oneOf(["adaptive", "static"])),
  defenseSuccessOfFooled: optional(orNull(num)),
  static: optional(statically),
};
const attackSummary: Shape<AttackSummary> = Type.Object(summary);

const record = {
  index: natural,
  id: optional(text),
  label: whole,
  cleanPrediction: whole,
  prediction: whole,
  confidence: optional(measured),
  success: flag,
  successAfter8Bit: flag,
  repaired: optional(Type.Literal(true)),
  linf: measured,
  l2: measured,
  l0: measured,
  iterations: measured,
  target: optional(whole),
};
/** `records-*.json`, of which the images are read. */
export const imageRecords: Shape<{ readonly images: readonly ImageRecord[] }> = Type.Object({ images: list(Type.Object(record)) });

/** `result.json` of an attack on a data set, or on pictures without labels. */
export const attackDocument: Shape<AttackDocument> = Type.Object({
  ...summary,
  labels: optional(oneOf(["predicted", "partly"])),
  run: text,
  notes: optional(list(text)),
  images: list(
    Type.Object({
      ...record,
      labelSource: optional(Type.Object({ kind: oneOf(["folder", "labelFile", "annotation", "person"]), name: text })),
    }),
  ),
  files: Type.Object({ adversarial: fileInside, images: fileInside }),
});

const area = { n: natural, auc: orNull(num), interval };
const detector: Shape<DetectorResult> = Type.Object({
  ...choice,
  key: text,
  label: text,
  threshold: orNull(num),
  falsePositiveRate: num,
  flaggedClean: orNull(num),
  thresholdImages: natural,
  sharedImages: optional(natural),
  cleanImages: optional(natural),
  positives: optional(oneOf(["all", "successful"])),
  thresholds: optional(list(orNull(num))),
  units: optional(
    list(Type.Object({ layer: text, rows: natural, channels: natural, c: orNull(natural), kept: measured, active: measured })),
  ),
  results: list(
    Type.Object({
      ...area,
      attack: text,
      adaptive: flag,
      fooling: optional(Type.Object(area)),
      detected: orNull(num),
      atRates: optional(list(Type.Object({ falsePositiveRate: num, detected: num, interval: pairOf(num) }))),
      points: list(Type.Object({ falsePositiveRate: num, truePositiveRate: num })),
      files: Type.Object({ scores: fileInside }),
    }),
  ),
});

const certificate: Shape<ArmCertificate> = Type.Union([
  Type.Object({ unavailable: text }),
  Type.Object({
    n: natural,
    slices: list(Type.Object({ slices: natural, correct: orNull(natural) })),
    patches: list(Type.Object({ side: natural, touches: natural, correct: natural })),
    images: list(whole),
  }),
]);

const side = Type.Object({ image: fileInside, attention: fileInside, prediction: whole });
const sample = Type.Object({ index: natural, label: whole, attack: text, clean: side, adversarial: side, iou: orNull(num) });
const cell = Type.Unsafe<string | number | null>({ type: ["string", "number", "null"] });
const timing = Type.Object({
  forwardMilliseconds: measured,
  batchSize: natural,
  p95Milliseconds: optional(measured),
  networkMilliseconds: optional(measured),
  networkP95Milliseconds: optional(measured),
  frontMilliseconds: optional(measured),
  frontP95Milliseconds: optional(measured),
  passes: optional(natural),
  warmUps: optional(natural),
});
const training = Type.Object({
  epochs: natural,
  steps: optional(natural),
  seconds: measured,
  imagesPerSecond: measured,
  reused: flag,
  images: natural,
});

const arm = Type.Object({
  name: text,
  defense: chosen,
  defenses: optional(list(chosen)),
  model: chosen,
  network: optional(text),
  clean: Type.Object({ ...rate, n: natural }),
  slices: optional(Type.Object({ count: natural, reach: natural })),
  training: orNull(training),
  attacks: list(attackSummary),
  worst: optional(orNull(Type.Object({ ...rate, n: natural, interval, attacks: list(text) }))),
  certificate: optional(certificate),
  detectors: list(detector),
  explanations: list(Type.Object({ ...choice, layer: orNull(text), samples: list(sample) })),
  analyses: list(Type.Object({ ...choice, data: anything })),
  timing: orNull(timing),
});

const analysis = Type.Object({
  ...choice,
  title: text,
  charts: list(Type.Object(chart)),
  figures: optional(list(figure)),
  tables: list(Type.Object({ title: text, columns: list(Type.Object({ name: text, format })), rows: list(list(cell)) })),
  notes: list(text),
});

/** `report.json`. */
export const runReport: Shape<RunReport> = Type.Object({
  run: text,
  notes: optional(list(text)),
  experiment: recordOf(anything),
  arms: list(arm),
  analyses: optional(list(analysis)),
  findings: list(finding),
  expect: list(
    Type.Object({
      metric: text,
      attack: optional(text),
      detector: optional(text),
      arm: optional(text),
      min: optional(num),
      max: optional(num),
      value: orNull(num),
      met: flag,
      knowledge: optional(oneOf(["static"])),
    }),
  ),
  finishedAt: text,
});
