import type { RequestType } from "vscode-jsonrpc";
import { BulwarkError, cancelled, type ErrorData } from "../../shared/errors.ts";
import { type Handshake, requests } from "../../shared/protocol.ts";
import type { EngineProcess } from "./process.ts";
import { createWatchdog, type Patience, usualPatience, type Watchdog } from "./watchdog.ts";

export type EngineStatus =
  | { readonly kind: "stopped" }
  | { readonly kind: "starting" }
  | { readonly kind: "ready"; readonly handshake: Handshake; readonly busy: number }
  | { readonly kind: "failed"; readonly error: BulwarkError };

/** The interactive engine: started by the first request, started again after it ended. One that is deaf for too long is ended. */
export interface WarmEngine {
  readonly status: EngineStatus;
  /** The process, started if need be. */
  get(): Promise<EngineProcess>;
  request<P, R>(type: RequestType<P, R, ErrorData>, params: P, signal?: AbortSignal): Promise<R>;
  stop(): void;
  /** Takes new settings: one that runs or starts is started again, others wait for the next request. */
  renew(): void;
}

/** The status once an engine's device has failed; as it was where another engine has taken over. */
const onDevice = (status: EngineStatus, pid: number, device: string): EngineStatus =>
  status.kind === "ready" && status.handshake.pid === pid ? { ...status, handshake: { ...status.handshake, device } } : status;

const startError = (thrown: unknown): BulwarkError =>
  thrown instanceof BulwarkError ? thrown : new BulwarkError("ENGINE_START", String(thrown), "Show the log.");

const kill = (engine: Promise<EngineProcess> | undefined): void =>
  void engine?.then(
    (started) => started.kill(),
    () => undefined,
  );

/** Who cancels does not wait for an engine that starts. */
function unlessAborted<T>(work: Promise<T>, signal = new AbortController().signal): Promise<T> {
  const aborted = new Promise<never>((_, reject) => {
    if (signal.aborted) reject(cancelled());
    else signal.addEventListener("abort", () => reject(cancelled()), { once: true });
  });
  aborted.catch(() => undefined); // the work may have come first
  return Promise.race([work, aborted]);
}

interface Shown {
  readonly status: () => EngineStatus;
  readonly set: (next: EngineStatus) => void;
}

/** Starts an engine and shows it; one that was stopped while it started says nothing any more. */
async function launch(start: () => Promise<EngineProcess>, { status, set }: Shown, isWanted: () => boolean): Promise<EngineProcess> {
  set({ kind: "starting" });
  try {
    const engine = await start();
    if (isWanted()) set({ kind: "ready", handshake: engine.handshake, busy: 0 });
    engine.onDevice((device) => set(onDevice(status(), engine.pid, device)));
    return engine;
  } catch (thrown) {
    const error = startError(thrown);
    if (isWanted()) set({ kind: "failed", error });
    throw error;
  }
}

/** The watchdog of an engine; `end` is called for one that is deaf. */
function watchdogs(patience: Patience, end: (engine: EngineProcess, error: BulwarkError) => void): (engine: EngineProcess) => Watchdog {
  const made = new WeakMap<EngineProcess, Watchdog>();
  return (engine) => {
    const ping = () => engine.request(requests.ping, {});
    const watchdog = made.get(engine) ?? createWatchdog({ ping, end: (error) => end(engine, error) }, patience);
    made.set(engine, watchdog);
    return watchdog;
  };
}

export function createWarmEngine(start: () => Promise<EngineProcess>, changed: () => void, patience: Patience = usualPatience): WarmEngine {
  let status: EngineStatus = { kind: "stopped" };
  let current: Promise<EngineProcess> | undefined;
  const set = (next: EngineStatus): void => {
    status = next;
    changed();
  };
  const busy = (step: 1 | -1): void => {
    if (status.kind === "ready") set({ ...status, busy: Math.max(0, status.busy + step) });
  };
  const get = (): Promise<EngineProcess> => {
    if (current) return current;
    const mine: Promise<EngineProcess> = launch(start, { status: () => status, set }, () => current === mine);
    current = mine;
    const forget = (): void => {
      if (current !== mine) return;
      current = undefined;
      if (status.kind === "ready") set({ kind: "stopped" });
    };
    mine.then((engine) => engine.exited.then(forget), forget);
    return mine;
  };
  const watchdog = watchdogs(patience, (engine, error) => {
    engine.end(error);
    void engine.exited.then(get).catch(() => undefined); // the status says so
  });
  const stop = (): void => {
    kill(current);
    current = undefined;
    if (status.kind !== "stopped") set({ kind: "stopped" });
  };
  return {
    get status() {
      return status;
    },
    get,
    async request(type, params, signal) {
      const engine = await unlessAborted(get(), signal);
      busy(1);
      const answer = engine.request(type, params, signal).finally(() => busy(-1));
      return watchdog(engine).watch(params, answer, signal);
    },
    stop,
    renew() {
      const isUp = current !== undefined;
      stop();
      if (isUp) get().catch(() => undefined); // the status says so
    },
  };
}
