import { readdir, rm } from "node:fs/promises";
import { hostname } from "node:os";
import path from "node:path";
import { BulwarkError } from "../../shared/errors.ts";
import { type Plan, type PlanHead, planFiles, readPlan } from "../../shared/plan.ts";
import { batchSizeOf } from "../classifier/batchSizes.ts";
import { readText } from "../io/files.ts";
import { hasResults } from "../io/occupied.ts";
import type { Publisher } from "../io/publish.ts";
import type { RunStore } from "../io/runStore.ts";
import type { Engine } from "../session/engine.ts";
import { version } from "../session/version.ts";
import type { RunData } from "./data.ts";
import { hashOf } from "./document.ts";
import type { Piece, PlanFacts, Stage } from "./piece.ts";
import { planHashOf, RunPieces, recordsOf } from "./runPieces.ts";
import { analyseStage } from "./stages/analyse.ts";
import { attackStage, coverStage } from "./stages/attack.ts";
import { cleanStage } from "./stages/clean.ts";
import { crossPieces } from "./stages/cross.ts";
import { detectStage } from "./stages/detect.ts";
import { explainStage } from "./stages/explain.ts";
import { imagePieces } from "./stages/images.ts";
import { judgeStage } from "./stages/judge.ts";
import { mergeStage } from "./stages/merge.ts";
import { prepareStage } from "./stages/prepare.ts";
import { trainStage } from "./stages/train.ts";
import { transferStage } from "./stages/transfer.ts";

/** What a single attack consists of. */
export const attackStages: readonly Stage[] = [cleanStage, prepareStage, attackStage, coverStage, transferStage, mergeStage];

/** What is done for every arm of an experiment, in this order. Adding a stage: write its file, put it where its needs have been met. */
export const armStages: readonly Stage[] = [trainStage, ...attackStages, detectStage, explainStage, analyseStage, judgeStage];

/** All pieces of a run, each after what it needs; `end` makes the last of them. */
export function piecesOf(facts: PlanFacts, stages: readonly Stage[], end: (before: readonly Piece[], facts: PlanFacts) => Piece): Piece[] {
  const arms = facts.order.filter(facts.hasModel);
  const perArm = arms.flatMap((arm) => stages.flatMap((stage) => stage.pieces(arm, facts)));
  const before = [...imagePieces(facts), ...perArm, ...crossPieces(facts)];
  return [...before, end(before, facts)];
}

interface Planned {
  readonly store: RunStore;
  readonly engine: Engine;
  readonly dataHash: string;
  /** All that decides the results beside the list itself and the data. */
  readonly identity: unknown;
  readonly mustMatch: boolean;
  readonly clock: () => number;
  readonly warn: (message: string) => void;
}

/**
 * Writes `plan.json`, or finds the same one there and what of it is done.
 * @throws RUN_INVALID where the pieces of another plan lie there and must not be lost
 */
export async function openPieces(pieces: readonly Piece[], facts: PlanFacts, o: Planned): Promise<RunPieces> {
  const { store, engine, dataHash, clock } = o;
  const { backend, device } = engine;
  const records = recordsOf(pieces);
  const [planHash, experimentHash] = [planHashOf(records), hashOf(o.identity)];
  const worker = `local-${process.pid}`;
  const publisher: Publisher = { run: store.directory, planHash, worker, host: hostname(), device, version, clock };
  const own = new RunPieces(pieces, publisher);
  const found = await planIn(store.directory);
  const isSame = found?.planHash === planHash && found.experimentHash === experimentHash && found.dataHash === dataHash;
  if (!isSame) {
    if (found && o.mustMatch && (await hasPieces(store))) throw otherPlan(found, store);
    if (!found && (await hasPieces(store))) o.warn(`${planFiles.plan} is missing or damaged; finished work is repeated.`);
    await own.remove();
    await rm(store.file(planFiles.batches), { force: true });
    const pin = { backend, device };
    const pins = { train: pin, evaluate: pin };
    const batch = batchSizeOf(facts.inputShape);
    const { kind, title, createdAt, request } = store.state;
    const run = { kind, title, createdAt, ...(request === undefined ? {} : { request }) };
    const plan: Plan = { version: 1, run, bulwark: version, planHash, experimentHash, dataHash, pins, batch, pieces: records };
    await store.writeJson(planFiles.plan, plan);
  }
  for (const { file } of await own.open()) o.warn(`${file} is missing or damaged; the work that made it is repeated.`);
  return own;
}

/** The plan of an earlier start of this run; null where there is none, as in runs of versions that had no plans. */
const planIn = async (directory: string): Promise<PlanHead | null> =>
  readPlan(await readText(path.join(directory, planFiles.plan), { inside: directory }).catch(() => ""));

/** Of the test images and of what is trained on. */
export const dataHashOf = ({ sha256, trainSha256 }: Pick<RunData, "sha256" | "trainSha256">): string => hashOf([sha256, trainSha256]);

/** Results are not replaced because a file of the data has changed since. @throws RUN_EXISTS where the run in the folder saw other data */
export async function refuseOtherData(directory: string, data: Pick<RunData, "sha256" | "trainSha256">): Promise<void> {
  const plan = await planIn(directory);
  if (plan === null || plan.dataHash === dataHashOf(data) || !(await hasResults(directory))) return;
  throw new BulwarkError(
    "RUN_EXISTS",
    `${directory} holds a run on other data: images or labels have changed since.`,
    "Undo the change, choose another --out, or replace the run with --force.",
  );
}

const hasPieces = async (store: RunStore): Promise<boolean> =>
  (await readdir(store.file(planFiles.pieces)).catch(() => [] as string[])).some((name) => !name.startsWith("."));

function otherPlan({ bulwark }: PlanHead, { id }: RunStore): BulwarkError {
  return bulwark === version
    ? new BulwarkError(
        "RUN_INVALID",
        `The run ${id} was begun with another experiment, other data or another model than there are now.`,
        "Undo the change, or start a new run.",
      )
    : new BulwarkError(
        "RUN_INVALID",
        `The run ${id} was begun by Bulwark ${bulwark}; this is ${version}.`,
        "Go on with that version, or start a new run.",
      );
}
