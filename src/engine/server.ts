import type { CancellationToken, MessageConnection, RequestType } from "vscode-jsonrpc";
import type { CardProgress } from "../shared/cards.ts";
import { BulwarkError, cancelled, type ErrorData } from "../shared/errors.ts";
import {
  attackImageProgress,
  cardProgress,
  checkModelProgress,
  deviceNotification,
  type EngineOptions,
  type Handshake,
  probeContractProgress,
  protocolVersion,
  requests,
  runProgress,
} from "../shared/protocol.ts";
import { toResponseError } from "../shared/rpc.ts";
import { onDeviceWarning } from "./backends/failures.ts";
import { createContext, type Progress, type RunContext } from "./context.ts";
import type { RunHost } from "./experiment/execute.ts";
import { runExperiment } from "./experiment/runExperiment.ts";
import { attackImage } from "./jobs/attackImage.ts";
import { calibrateDetector } from "./jobs/calibrateDetector.ts";
import { checkModel } from "./jobs/checkModel.ts";
import { classLists, writeClassList } from "./jobs/classLists.ts";
import { defendRun } from "./jobs/defendRun.ts";
import { detectRun } from "./jobs/detectRun.ts";
import { doctor } from "./jobs/doctor.ts";
import { estimateAttack } from "./jobs/estimateAttack.ts";
import { explainRun } from "./jobs/explainRun.ts";
import { explainSequence } from "./jobs/explainSequence.ts";
import { inspectModel } from "./jobs/inspectModel.ts";
import { labelRun } from "./jobs/labelRun.ts";
import { listEntries } from "./jobs/listEntries.ts";
import { servePatches } from "./jobs/patch/serve.ts";
import { previewDataset } from "./jobs/previewDataset.ts";
import { probeContract, writeProbe } from "./jobs/probeContract.ts";
import { rankPatches } from "./jobs/rankPatches.ts";
import { resume } from "./jobs/resume.ts";
import { warmUp } from "./jobs/warmUp.ts";
import { checkRequest } from "./requestSchemas.ts";
import { type Engine, startEngine } from "./session/engine.ts";
import { version } from "./session/version.ts";

/** Registers the work that answers a request. */
export type Answer = <P, R>(type: RequestType<P, R, ErrorData>, work: (params: P, signal: AbortSignal) => Promise<R>) => void;
export type Log = (level: "info" | "warn" | "error", message: string) => void;

/** Method → job. Requests run one at a time: the backend is one machine. A request that is cancelled while it waits never starts. */
export function serve(connection: MessageConnection, log: Log): void {
  let engine: Promise<Engine> | null = null;
  onDeviceWarning(({ message, device }) => void connection.sendNotification(deviceNotification, { message, device }));
  const started = (): Promise<Engine> => {
    engine ??= startEngine("auto");
    return engine;
  };
  let last: Promise<unknown> = Promise.resolve();
  const on: Answer = <P, R>(type: RequestType<P, R, ErrorData>, work: (params: P, signal: AbortSignal) => Promise<R>): void => {
    connection.onRequest(type.method, (params: P, token: CancellationToken) => {
      const signal = signalOf(token);
      const turn = last.then(() => {
        if (signal.aborted) throw cancelled();
        checkRequest(type.method, params);
        return work(params, signal);
      });
      last = turn.catch(() => undefined);
      return turn.catch((thrown: unknown) => {
        const error = toResponseError(thrown);
        if (error.data?.code === "BUG") log("error", error.data.detail ?? error.message);
        throw error;
      });
    });
  };
  const context: Serving["context"] = (signal, seed = 1, onProgress = () => {}) =>
    createContext({ seed, signal, onProgress, log: (message) => log("info", message) });

  connection.onRequest(requests.ping.method, () => null);
  on(requests.handshake, async (options) => {
    engine = handshakeEngine(options);
    engine.catch(() => undefined);
    return greeting(await engine, log);
  });
  on(requests.list, listEntries);
  on(requests.doctor, () => doctor());
  serveModelFiles(on, { connection, engine: started });
  serveProbe(on, { connection, engine: started, context });
  on(requests.previewDataset, (params, signal) => previewDataset(params, context(signal)));
  on(requests.warmUp, async ({ model }, signal) => warmUp(model, await started(), context(signal)));
  on(requests.attackImage, async (params, signal) =>
    attackImage(params, await started(), context(signal, params.seed), (update) => {
      void connection.sendProgress(attackImageProgress, params.token, update);
    }),
  );
  on(requests.estimateAttack, async (params, signal) => estimateAttack(params, await started(), context(signal)));
  serveCards(on, { connection, engine: started, context });
  on(requests.rankPatches, rankPatches);
  servePatches(on, { connection, engine: started, context });
  const host = async (signal: AbortSignal): Promise<RunHost> => ({
    engine: await started(),
    signal,
    onEvent: (event) => void connection.sendProgress(runProgress, "run", event),
    log: (message) => log("info", message),
  });
  on(requests.runExperiment, async (params, signal) => runExperiment(params, await host(signal)));
  on(requests.resumeRun, async (params, signal) => {
    const { directory, expectationsMet } = await resume(params, await host(signal));
    return { directory, expectationsMet };
  });
}

interface Serving {
  readonly connection: MessageConnection;
  engine(): Promise<Engine>;
  context(signal: AbortSignal, seed?: number, onProgress?: (progress: Progress) => void): RunContext;
}
function serveModelFiles(on: Answer, { connection, engine: started }: Pick<Serving, "connection" | "engine">): void {
  on(requests.inspectModel, ({ model }) => started().then(() => inspectModel(model)));
  on(requests.checkModel, async ({ model, token }, signal) => {
    await started();
    return checkModel({ model }, signal, (update) => void connection.sendProgress(checkModelProgress, token, update));
  });
  on(requests.classLists, (params) => started().then(() => classLists(params)));
  on(requests.writeClassList, (params) => started().then(() => writeClassList(params)));
}

/** What is asked about an attack on a picture that is there. */
function serveCards(on: Answer, { connection, engine, context }: Serving): void {
  const teller =
    (token: string) =>
    ({ done, total }: CardProgress): void =>
      void connection.sendProgress(cardProgress, token, { done, total });
  on(requests.labelRun, (params) => labelRun(params));
  on(requests.explainRun, async ({ token, ...params }, signal) =>
    explainRun(params, await engine(), context(signal, params.seed, teller(token))),
  );
  on(requests.explainSequence, async ({ token, ...params }, signal) =>
    explainSequence(params, await engine(), context(signal, params.seed, teller(token))),
  );
  on(requests.detectRun, async ({ token, ...params }, signal) =>
    detectRun(params, await engine(), context(signal, params.seed, teller(token))),
  );
  on(requests.calibrateDetector, async ({ token, ...params }, signal) =>
    calibrateDetector(params, await engine(), context(signal, params.seed, teller(token))),
  );
  on(requests.defendRun, async (params, signal) => defendRun(params, await engine(), context(signal, params.seed)));
}

function serveProbe(on: Answer, { connection, engine, context }: Serving): void {
  on(requests.probeContract, async ({ token, ...params }, signal) =>
    probeContract(params, await engine(), context(signal, params.seed), (update) => {
      void connection.sendProgress(probeContractProgress, token, update);
    }),
  );
  on(requests.writeProbe, async (params) => ({ file: await writeProbe(params) }));
}

function signalOf(token: CancellationToken): AbortSignal {
  const abort = new AbortController();
  if (token.isCancellationRequested) abort.abort();
  token.onCancellationRequested(() => abort.abort());
  return abort.signal;
}

async function handshakeEngine(options: EngineOptions): Promise<Engine> {
  if (options.protocol !== protocolVersion)
    throw new BulwarkError(
      "ENGINE_START",
      `The extension speaks protocol ${options.protocol}, this engine ${protocolVersion}.`,
      "Install Bulwark again so that both are of one version.",
    );
  return startEngine(options.backend, options.device);
}

function greeting(engine: Engine, log: Log): Handshake {
  for (const warning of engine.warnings) log("warn", warning);
  const { backend, device } = engine;
  return { protocol: protocolVersion, version, node: process.versions.node, pid: process.pid, backend, device };
}
