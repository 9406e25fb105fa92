import { Type } from "@sinclair/typebox";
import { type RunState, runKinds } from "./runs.ts";
import { measured, natural, oneOf, readAs, recordOf, type Shape, text } from "./shapes.ts";

/** What a run consists of: `plan.json`, written once before anything is computed. A resumed run does the pieces of this list that are not done. */
export const planFiles = {
  plan: "plan.json",
  /** How many images of every arm are computed together. */
  batches: "batches.json",
  /** One folder for every finished piece, there as a whole or not at all. */
  pieces: "pieces",
  /** One file for every start of a piece that has not come to an end. */
  attempts: "attempts",
  /** In the folder of a piece, written last. */
  done: "done.json",
} as const;

/** What a piece does; the order in which they are made for an arm. */
export type StageKind =
  | "train"
  | "images"
  | "clean"
  | "prepare"
  | "attack"
  | "cover"
  | "transfer"
  | "merge"
  | "threshold"
  | "detect"
  | "explain"
  | "analyse"
  | "judge"
  | "report";

/** A unit of work with what it needs; its outputs lie in a folder of its own. */
export interface PieceRecord {
  /** "attack:undefended:pgd:0-1000" */
  readonly key: string;
  readonly stage: StageKind;
  /** Places in the list of what has to be done before; always smaller than its own. */
  readonly needs: readonly number[];
  /** In forward passes of one image through the undefended network: only the ratios matter. */
  readonly cost: number;
  /** Key of the network that it opens: pieces of one network are best done one after another. */
  readonly network?: string;
  /** Estimate of the bytes that it takes at most. */
  readonly memory: number;
  /** Test images [start, end), for a piece that is one of several shards. */
  readonly images?: readonly [start: number, end: number];
  /** Training and evaluation may run on different devices; all evaluation of a run is done on one. */
  readonly device: "train" | "evaluate";
}

/** What a run is, as its `state.json` says it too: that can be made again. */
export type PlannedRun = Pick<RunState, "kind" | "title" | "createdAt" | "request">;

export interface Plan {
  readonly version: 1;
  /** Absent in plans of earlier versions. */
  readonly run?: PlannedRun;
  /** Version that planned it. */
  readonly bulwark: string;
  /** SHA-256 of the pieces, less the estimates of cost and memory. */
  readonly planHash: string;
  readonly experimentHash: string;
  readonly dataHash: string;
  readonly pins: Readonly<Record<PieceRecord["device"], { readonly backend: string; readonly device: string }>>;
  /** Images that are read together, and no fewer than are computed together (`batches.json`): shards are whole batches of these. */
  readonly batch: number;
  readonly pieces: readonly PieceRecord[];
}

/** `done.json`: who did a piece, and what came out. */
export interface PieceDone {
  readonly key: string;
  readonly planHash: string;
  readonly worker: string;
  readonly host: string;
  readonly device: string;
  readonly version: string;
  /** The start that succeeded: 1 unless earlier ones were killed. */
  readonly attempt: number;
  /** SHA-256 of every file, by name. */
  readonly outputs: Readonly<Record<string, string>>;
  /** The same of files that it has left elsewhere in the run folder, by their path in there; absent where there are none. */
  readonly leaves?: Readonly<Record<string, string>>;
  readonly seconds: number;
  /** Of the work, what those seconds were for, where a training went on from a checkpoint; all of it when left out. */
  readonly share?: number;
}

export const pieceDone: Shape<PieceDone> = Type.Object({
  ...{ key: text, planHash: text, worker: text, host: text, device: text, version: text, attempt: natural },
  ...{ outputs: recordOf(text), leaves: Type.Optional(recordOf(text)), seconds: measured, share: Type.Optional(measured) },
});

/** What is read of a `plan.json`: whose it is. Its pieces are listed again by whoever does them. */
export type PlanHead = Pick<Plan, "run" | "bulwark" | "planHash" | "experimentHash" | "dataHash">;
const planHead: Shape<PlanHead> = Type.Object({
  run: Type.Optional(Type.Object({ kind: oneOf(runKinds), title: text, createdAt: text, request: Type.Optional(text) })),
  bulwark: text,
  planHash: text,
  experimentHash: text,
  dataHash: text,
});

/** The head of the text of a `plan.json`; null where it is damaged. */
export function readPlan(json: string): PlanHead | null {
  const read = readAs(planHead, json);
  return "value" in read ? read.value : null;
}
