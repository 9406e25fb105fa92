import { rm } from "node:fs/promises";
import path from "node:path";
import type { RunEvent, RunEventBody } from "../../shared/events.ts";
import { frontNotes } from "../classifier/defended.ts";
import { createContext, type RunContext } from "../context.ts";
import { documented } from "../define/index.ts";
import { hashOfModel } from "../importers/index.ts";
import { type RunStore, settle } from "../io/runStore.ts";
import type { LoadedPlugin } from "../plugins/load.ts";
import { watchingDevice } from "../session/deviceWarnings.ts";
import type { Engine } from "../session/engine.ts";
import { type ResolvedArm, withCarried } from "./arms.ts";
import { BatchRecord } from "./batchRecord.ts";
import type { RunData } from "./data.ts";
import { experimentDocument, pluginFiles, writeExperiment } from "./document.ts";
import { driveLocally } from "./driver.ts";
import type { RunEnvironment, RunMode } from "./environment.ts";
import type { RunLayout } from "./layout.ts";
import { type LocateFacts, locateModels, trains } from "./models.ts";
import { runningOrder, type StaticSources } from "./networks.ts";
import { type Handover, OpenNetworks } from "./openNetworks.ts";
import type { Piece, PlanFacts, Stage } from "./piece.ts";
import { dataHashOf, openPieces, piecesOf } from "./plan.ts";
import { ProgressMeter } from "./progress.ts";
import type { ResolvedExperiment } from "./resolve.ts";
import { resolveAnalyses } from "./resolveAnalyses.ts";
import { storedImages } from "./runPieces.ts";
import { savedExperiment } from "./savedRun.ts";
import { refuseWithoutSource, sourcesOf } from "./stages/knowledge.ts";

/** Who asked for the run: where it computes, how it is stopped, who listens. */
export interface RunHost {
  readonly engine: Engine;
  readonly signal: AbortSignal;
  onEvent?(event: RunEvent): void;
  log?(message: string): void;
  /** Hears of what happens before the run has a folder to write it into. */
  readonly note?: ((message: string) => void) | undefined;
}
/** A run of any kind: what it consists of, and how it ends. */
export interface Execution {
  readonly experiment: ResolvedExperiment;
  readonly mode: RunMode;
  readonly modelPath: string | null;
  readonly store: RunStore;
  readonly source: string;
  /** What was asked for, where that is no experiment file. */
  readonly request?: unknown;
  readonly isResumed: boolean;
  /** Pieces that another plan has left are not thrown away: the run is refused. */
  readonly mustMatch: boolean;
  readonly layout: RunLayout;
  /** What is done for every arm. */
  readonly stages: readonly Stage[];
  /** What static images are made against; as the experiment's arms say when left out. */
  readonly sources?: ((arms: readonly ResolvedArm[]) => StaticSources) | undefined;
  /** A network of the run that is open already. */
  readonly opened?: Handover;
  openData(o: LocateFacts & { readonly experiment: ResolvedExperiment }, ctx: RunContext): Promise<RunData>;
  /** Makes the last piece, which writes what the run is for; and the name of that file. */
  readonly end: { piece(before: readonly Piece[], facts: PlanFacts): Piece; readonly file: string };
}

/** Does what is left to do of a run, from its folder alone. */
export async function execute(run: Execution, host: RunHost): Promise<void> {
  const { store, experiment } = run;
  const tell = reporter(store, host);
  const { backend, device } = host.engine;
  tell(
    run.isResumed
      ? { kind: "resumed", run: store.id, backend, device }
      : { kind: "started", run: store.id, title: store.state.title, backend, device, arms: experiment.arms.map((arm) => arm.name) },
  );
  for (const plugin of experiment.plugins) tell({ kind: "note", message: pluginNote(plugin) });
  for (const message of store.warnings) tell({ kind: "warning", message });
  for (const message of host.engine.warnings) tell({ kind: "warning", code: "BACKEND_UNAVAILABLE", message });
  await settle(store, () => watchingDevice(tell, () => doAll(run, host, tell)), tell);
}

/** Tells the user which plugins run. */
const pluginNote = ({ file, sha256, entries }: LoadedPlugin): string =>
  `The plugin ${path.basename(file)} takes part: ${entries.map(({ kind, id }) => `${kind} ${id}`).join(", ")} (SHA-256 ${sha256.slice(0, 12)}…).`;

async function doAll(run: Execution, host: RunHost, tell: (event: RunEventBody) => void): Promise<void> {
  const { store } = run;
  const listen = trainingListener(tell);
  const ctx: RunContext = createContext({
    seed: run.experiment.seed,
    signal: AbortSignal.any([host.signal, store.lock.signal]),
    onEvent: listen.event,
    log: (message) => host.log?.(message),
  });
  const experiment = await withContracts(run.experiment);
  const { mode, modelPath } = run;
  const opened = await run.openData({ experiment, mode, modelPath, directory: store.directory }, ctx);
  const fronts = experiment.arms.map((arm) => arm.front);
  const data = { ...opened, notes: [...opened.notes, ...frontNotes(fronts, opened.inputShape)] };
  try {
    for (const message of data.notes) tell({ kind: "note", message });
    const env = await environmentOf(run, experiment, data, host, ctx, tell);
    listen.meter = env.meter;
    try {
      await writeExperiment(env, await writtenModels(run));
      await driveLocally(env);
    } finally {
      env.networks.close();
    }
    await env.pieces.remove();
    for (const name of ["partial", "checkpoints"]) await rm(store.file(name), { recursive: true, force: true });
    tell({ kind: "done", report: run.end.file });
  } finally {
    await data.close();
  }
}

/** Hashes of its models that the report of a run wrote before it was killed: a report that is done is not made again. */
async function writtenModels({ isResumed, store }: Execution): Promise<Readonly<Record<string, string>>> {
  if (!isResumed) return {};
  return (await savedExperiment(store.directory).catch(() => null))?.environment?.models ?? {};
}

/** Adds what the contracts of model files say. Analyses choose their attacks again, which depend on how a model cuts slices. */
async function withContracts(experiment: ResolvedExperiment): Promise<ResolvedExperiment> {
  const arms = await withCarried(experiment.arms);
  const { dataset, attacks, detectors, analyses } = experiment;
  const chosen = analyses.map((analysis) => ({ kind: analysis.id, ...documented(analysis).params }));
  return { ...experiment, arms, ...resolveAnalyses(chosen, { dataset: dataset.id, arms, attacks, detectors }) };
}

async function environmentOf(
  run: Execution,
  experiment: ResolvedExperiment,
  data: RunData,
  host: RunHost,
  ctx: RunContext,
  emit: (event: RunEventBody) => void,
): Promise<RunEnvironment> {
  const { mode, modelPath, store, layout, source, request } = run;
  const { engine } = host;
  const { inputShape, classes, trainSize } = data;
  const n = data.test.n;
  const sources = run.sources?.(experiment.arms) ?? sourcesOf(experiment);
  refuseWithoutSource([...experiment.attacks, ...experiment.further], sources.undefended !== null);
  const models = await locateModels({ experiment, mode, modelPath, directory: store.directory }, sources, emit);
  const hasModel = (arm: ResolvedArm): boolean => models.has(arm);
  const order = runningOrder(experiment.arms, sources);
  const facts: PlanFacts = { experiment, mode, sources, order, layout, n, trainSize, inputShape, classes, hasModel };
  const list = piecesOf(facts, run.stages, run.end.piece);
  const hashOf = (path: string) => (path === run.opened?.path ? run.opened.sha256 : modelHash(path));
  const hashes = await Promise.all([...models].map(async ([arm, { path }]) => (trains(arm, mode) ? "" : hashOf(path))));
  const plugins = experiment.plugins.length > 0 ? { plugins: pluginFiles(experiment) } : {};
  const identity = { experiment: experimentDocument(experiment), request, mode, modelPath, hashes, ...plugins };
  const dataHash = dataHashOf(data);
  const planned = {
    store,
    engine,
    dataHash,
    identity,
    mustMatch: run.mustMatch,
    clock: ctx.clock,
    warn: (message: string) => emit({ kind: "warning", message }),
  };
  const pieces = await openPieces(list, facts, planned);
  const meter = new ProgressMeter(list, emit, ctx.clock);
  const batches = new BatchRecord(store, planned.warn);
  const placeOf = (arm: ResolvedArm) => models.get(arm) ?? null;
  const networks = new OpenNetworks({ placeOf, inputShape, batches, emit, opened: run.opened }, ctx);
  const images = storedImages(pieces, n, inputShape);
  return { experiment, mode, modelPath, source, request, store, data, images, facts, pieces, networks, engine, meter, ctx, emit };
}

/** Of a network that the run does not make; opening a damaged model says what is wrong with it. */
const modelHash = (path: string): Promise<string> => hashOfModel(path).catch(() => "");

/** Writes an event into the folder of its run, whether or not somebody listens, and passes it on. */
export function tell(store: Pick<RunStore, "append">, host: Pick<RunHost, "onEvent">, body: RunEventBody): void {
  const event = store.append(body);
  host.onEvent?.(event);
}

/** Appends events to the folder, passes them on, and keeps `progress` of `state.json` about two seconds fresh. */
function reporter(store: RunStore, host: RunHost): (event: RunEventBody) => void {
  let saved = performance.now();
  return (body) => {
    tell(store, host, body);
    if (body.kind !== "progress" || performance.now() - saved < 2000) return;
    saved = performance.now();
    void store.update({ progress: body.overall }).catch((thrown: unknown) => host.log?.(`state.json: ${String(thrown)}`));
  };
}

/** Training tells its steps; they drive the same progress as attacks do. */
function trainingListener(tell: (event: RunEventBody) => void): { event(event: RunEventBody): void; meter: ProgressMeter | null } {
  let arm: string | null = null;
  const listener = {
    meter: null as ProgressMeter | null,
    event(event: RunEventBody): void {
      tell(event);
      if (event.kind !== "step") return;
      if (event.arm !== arm) listener.meter?.continueFrom((event.epoch - 1) / event.epochs); // checkpoints are made between epochs
      arm = event.arm;
      listener.meter?.report((event.epoch - 1) * event.steps + event.step, event.epochs * event.steps);
    },
  };
  return listener;
}
