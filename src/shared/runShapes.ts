import { Type } from "@sinclair/typebox";
import { errorCodes } from "./errors.ts";
import type { RunEvent, RunEventBody } from "./events.ts";
import { finding } from "./reportShape.ts";
import { type RunState, runKinds } from "./runs.ts";
import { fileInside, flag, list, measured, natural, num, oneOf, orNull, recordOf, type Shape, text } from "./shapes.ts";

/** Shapes of the files by which a run says how far it is, and of what it saw. Fields that older versions had not are optional. */
const optional = Type.Optional;

/** `state.json`. */
export const runState: Shape<RunState> = Type.Object({
  version: Type.Literal(1),
  run: text,
  kind: oneOf(runKinds),
  title: text,
  status: oneOf(["running", "done", "failed", "cancelled", "interrupted", "elsewhere"]),
  createdAt: text,
  updatedAt: text,
  request: optional(text),
  progress: measured,
  headline: orNull(text),
  error: orNull(Type.Object({ code: text, message: text, fix: orNull(text) })),
});

const watched = { file: fileInside, prediction: optional(Type.Object({ name: text, probability: measured })) };
const event = <K extends string, P extends Parameters<typeof Type.Object>[0]>(kind: K, properties: P) =>
  Type.Object({ t: measured, kind: Type.Literal(kind), ...properties });

const epoch = {
  arm: text,
  epoch: natural,
  epochs: natural,
  trainLoss: measured,
  trainAccuracy: orNull(num),
  validationLoss: orNull(num),
  validationAccuracy: orNull(num),
  parts: optional(recordOf(measured)),
  attackedAccuracy: optional(measured),
  quickAttack: orNull(Type.Object({ id: text, name: optional(text), successRate: orNull(num) })),
  seconds: measured,
  imagesPerSecond: measured,
  memoryBytes: measured,
};
/** A finished epoch, as events and `training.json` tell it. */
export const epochEvent: Shape<Extract<RunEvent, { readonly kind: "epoch" }>> = event("epoch", epoch);
/** The same as checkpoints keep it, which know no time of the run. */
export const epochRecord: Shape<Extract<RunEventBody, { readonly kind: "epoch" }>> = Type.Object({ kind: Type.Literal("epoch"), ...epoch });

/** A line of `events.jsonl`. */
export const runEvent: Shape<RunEvent> = Type.Union([
  event("started", { run: text, title: text, backend: text, device: text, arms: list(text) }),
  event("resumed", { run: text, backend: text, device: text }),
  event("phase", { phase: text, arm: optional(text), attack: optional(text) }),
  event("progress", { phase: text, done: measured, total: measured, etaSeconds: orNull(num), overall: measured }),
  event("step", {
    arm: text,
    epoch: natural,
    epochs: natural,
    step: natural,
    steps: natural,
    loss: measured,
    parts: optional(recordOf(measured)),
    imagesPerSecond: measured,
  }),
  epochEvent,
  event("attention", {
    arm: text,
    epoch: natural,
    images: list(Type.Object({ ...watched, index: natural, clean: optional(fileInside), attacked: optional(Type.Object(watched)) })),
  }),
  event("trained", { arm: text, seconds: measured, reused: flag, bestEpoch: orNull(natural) }),
  event("attacked", {
    arm: text,
    attack: text,
    mode: optional(oneOf(["adaptive", "static"])),
    cleanAccuracy: orNull(num),
    attackedAccuracy: orNull(num),
    successRate: orNull(num),
    seconds: measured,
  }),
  event("warning", { message: text, code: optional(text) }),
  event("note", { message: text }),
  event("batch", { arm: text, forward: natural, gradient: natural, message: text }),
  event("finding", { finding }),
  event("done", { report: text }),
  event("cancelled", {}),
  event("failed", {
    error: Type.Unsafe<Extract<RunEvent, { readonly kind: "failed" }>["error"]>(
      Type.Object({
        code: oneOf(errorCodes),
        message: text,
        fix: optional(orNull(text)),
        detail: optional(orNull(text)),
        snippet: optional(text),
      }),
    ),
  }),
]);

/** What panels, the command line and requests need of `dataset.json`. */
export interface RunDataset {
  readonly source: string;
  readonly files?: readonly string[];
  readonly labels: readonly number[];
  readonly classNames: readonly string[];
}
export const runDataset: Shape<RunDataset> = Type.Object({
  source: text,
  files: optional(list(text)),
  labels: list(num),
  classNames: list(text),
});

/** `training.json` beside a model, of which the curve of the loss is drawn. */
export const trainingHistory: Shape<{ readonly history: readonly { readonly epoch: number; readonly trainLoss: number }[] }> = Type.Object({
  history: list(Type.Object({ epoch: natural, trainLoss: measured })),
});

/** What `experiment.json` says of where a run came from. */
export const runOrigin: Shape<{ readonly environment?: { readonly source?: string } }> = Type.Object({
  environment: optional(Type.Object({ source: optional(text) })),
});
