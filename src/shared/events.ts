import type { ErrorData } from "./errors.ts";
import type { Finding } from "./results.ts";
import { runEvent } from "./runShapes.ts";
import { fitting } from "./shapes.ts";

/** Evidence for one class as a picture, and what the network made of the image then. */
export interface WatchedMap {
  /** Relative to the run folder. */
  readonly file: string;
  /** Name and probability of the predicted class; absent in runs of older versions. */
  readonly prediction?: { readonly name: string; readonly probability: number };
}
export interface WatchedImage extends WatchedMap {
  readonly index: number;
  /** The image itself, without attention; absent in runs of older versions. */
  readonly clean?: string;
  /** Of the image as the attack that the training crafts with has changed it; absent where it crafts none. */
  readonly attacked?: WatchedMap;
}

/**
 * One line of `events.jsonl`, and the payload of a run's progress notification. `t` is seconds since the run was created or
 * last resumed; panels rebuild themselves from these lines alone.
 */
export type RunEvent = { readonly t: number } & (
  | {
      readonly kind: "started";
      readonly run: string;
      readonly title: string;
      readonly backend: string;
      readonly device: string;
      readonly arms: readonly string[];
    }
  | { readonly kind: "resumed"; readonly run: string; readonly backend: string; readonly device: string }
  /** A long piece of work begins: `phase` is a sentence such as "Training undefended". */
  | { readonly kind: "phase"; readonly phase: string; readonly arm?: string; readonly attack?: string }
  | {
      readonly kind: "progress";
      readonly phase: string;
      readonly done: number;
      readonly total: number;
      readonly etaSeconds: number | null;
      readonly overall: number;
    }
  | {
      readonly kind: "step";
      readonly arm: string;
      readonly epoch: number;
      readonly epochs: number;
      readonly step: number;
      readonly steps: number;
      readonly loss: number;
      /** Named terms of the loss; absent where it has none. */
      readonly parts?: Readonly<Record<string, number>>;
      readonly imagesPerSecond: number;
    }
  | {
      readonly kind: "epoch";
      readonly arm: string;
      readonly epoch: number;
      readonly epochs: number;
      readonly trainLoss: number;
      readonly trainAccuracy: number | null;
      readonly validationLoss: number | null;
      readonly validationAccuracy: number | null;
      /** Means of the loss's named terms over the epoch; absent where it has none. */
      readonly parts?: Readonly<Record<string, number>>;
      /** Of the validation images under the attack that the training crafts images with; absent where it crafts none. */
      readonly attackedAccuracy?: number;
      /** `name` for people, such as "1-pixel attack". */
      readonly quickAttack: { readonly id: string; readonly name?: string; readonly successRate: number | null } | null;
      readonly seconds: number;
      readonly imagesPerSecond: number;
      readonly memoryBytes: number;
    }
  /** Attention of the chosen images after an epoch. */
  | { readonly kind: "attention"; readonly arm: string; readonly epoch: number; readonly images: readonly WatchedImage[] }
  | {
      readonly kind: "trained";
      readonly arm: string;
      readonly seconds: number;
      readonly reused: boolean;
      readonly bestEpoch: number | null;
    }
  | {
      readonly kind: "attacked";
      readonly arm: string;
      readonly attack: string;
      /** As in `AttackSummary`; absent on an undefended arm, and in runs of older versions. */
      readonly mode?: "adaptive" | "static";
      readonly cleanAccuracy: number | null;
      readonly attackedAccuracy: number | null;
      readonly successRate: number | null;
      readonly seconds: number;
    }
  | { readonly kind: "warning"; readonly message: string; readonly code?: string }
  /** What was decided about the data or the models that the user may want to know. */
  | { readonly kind: "note"; readonly message: string }
  /** How many images of an arm are computed together; `message` says it, and why. */
  | { readonly kind: "batch"; readonly arm: string; readonly forward: number; readonly gradient: number; readonly message: string }
  | { readonly kind: "finding"; readonly finding: Finding }
  | { readonly kind: "done"; readonly report: string }
  | { readonly kind: "cancelled" }
  | { readonly kind: "failed"; readonly error: ErrorData }
);

type WithoutTime<T> = T extends unknown ? Omit<T, "t"> : never;
/** An event as the engine emits it; the run store adds the time. */
export type RunEventBody = WithoutTime<RunEvent>;

/** Reads `events.jsonl`; a last line that was cut off by a crash is left out, and so is one that no version of ours has written. */
export function parseEvents(text: string): RunEvent[] {
  const events: RunEvent[] = [];
  for (const line of text.split("\n")) {
    if (line.trim() === "") continue;
    try {
      const event = fitting(runEvent, JSON.parse(line));
      if (event) events.push(event);
    } catch {
      // Torn, as the process died while writing it, or damaged: the lines around it are whole.
    }
  }
  return events;
}
