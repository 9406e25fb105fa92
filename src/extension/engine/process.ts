import { type ChildProcess, fork } from "node:child_process";
import { createInterface } from "node:readline";
import type { MessageConnection, ProgressType, RequestType } from "vscode-jsonrpc";
import "vscode-jsonrpc/node"; // installs the timers that a connection needs
import { BulwarkError, type ErrorData } from "../../shared/errors.ts";
import { deviceNotification, type Handshake, logNotification, protocolVersion, requests } from "../../shared/protocol.ts";
import { connect, fromResponseError, type Port, tokenOf } from "../../shared/rpc.ts";
import type { EngineLocation } from "./locate.ts";

export type LogLine = (level: "info" | "warn" | "error", line: string) => void;

/** A running engine. Requests fail with ENGINE_EXITED as soon as the process is gone. */
export interface EngineProcess {
  readonly handshake: Handshake;
  readonly pid: number;
  /** Resolves with the error that pending requests got. */
  readonly exited: Promise<BulwarkError>;
  request<P, R>(type: RequestType<P, R, ErrorData>, params: P, signal?: AbortSignal): Promise<R>;
  onProgress<P>(type: ProgressType<P>, token: string, listener: (value: P) => void): { dispose(): void };
  /** Hears of a device that failed, with what computes from then on. */
  onDevice(listener: (device: string, message: string) => void): { dispose(): void };
  kill(signal?: NodeJS.Signals): void;
  /** Kills it at once, whatever it does; pending requests fail with this error. */
  end(error: BulwarkError): void;
}
export interface StartOptions {
  readonly location: EngineLocation;
  readonly cwd: string;
  readonly backend: string;
  readonly device: string;
  readonly log: LogLine;
}

/** The stack of a native crash follows what was said about it. */
const keptLines = 40;
const handshakeSeconds = 60;

/** Starts an engine and shakes hands. @throws ENGINE_START, BACKEND_UNAVAILABLE */
export async function startEngine(o: StartOptions): Promise<EngineProcess> {
  const child = fork(o.location.file, [], {
    execPath: o.location.execPath,
    execArgv: [],
    env: o.location.env,
    cwd: o.cwd,
    serialization: "json",
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  const last = watchOutput(child, o.log);
  const reason: { error?: BulwarkError } = {};
  const exited = exitOf(child, last).then((error) => reason.error ?? error);
  const connection = connect(portOf(child));
  connection.onNotification(logNotification, ({ level, message }) => o.log(level, message));
  const onDevice = deviceListeners(connection);
  connection.listen();
  exited.then(() => connection.dispose());
  const request = requester(connection, exited);
  try {
    const handshake = await handshakeOf(request, o);
    return {
      handshake,
      pid: child.pid ?? 0,
      exited,
      request,
      onProgress: (type, token, listener) => connection.onProgress(type, token, listener),
      onDevice,
      kill: (signal = "SIGTERM") => void child.kill(signal),
      end(error) {
        reason.error = error;
        child.kill("SIGKILL");
      },
    };
  } catch (thrown) {
    child.kill("SIGKILL");
    throw startError(thrown, last);
  }
}

/** A connection has one handler for each notification; of this one several want to hear. */
function deviceListeners(connection: MessageConnection): EngineProcess["onDevice"] {
  const listeners = new Set<(device: string, message: string) => void>();
  connection.onNotification(deviceNotification, ({ device, message }) => {
    for (const listener of listeners) listener(device, message);
  });
  return (listener) => {
    listeners.add(listener);
    return { dispose: () => listeners.delete(listener) };
  };
}

async function handshakeOf(
  request: EngineProcess["request"],
  { backend, device }: Pick<StartOptions, "backend" | "device">,
): Promise<Handshake> {
  const options = { backend, device, protocol: protocolVersion };
  const answer = await request(requests.handshake, options, AbortSignal.timeout(handshakeSeconds * 1000));
  if (answer.protocol !== protocolVersion)
    throw new BulwarkError(
      "ENGINE_START",
      `The engine speaks protocol ${answer.protocol}, not ${protocolVersion}.`,
      "Install Bulwark again.",
    );
  return answer;
}

function startError(thrown: unknown, last: readonly string[]): unknown {
  if (thrown instanceof BulwarkError && thrown.code !== "ENGINE_EXITED" && thrown.code !== "CANCELLED") return thrown;
  const said = last.length > 0 ? ` It said: ${last.at(-1)}` : "";
  const detail = last.join("\n");
  return new BulwarkError("ENGINE_START", `The engine could not be started.${said}`, "Run the doctor, or set bulwark.engine.nodePath.", {
    detail,
  });
}

/** Requests that end when the process does: without it they would hang. */
function requester(connection: MessageConnection, exited: Promise<BulwarkError>): EngineProcess["request"] {
  const died = exited.then((error) => Promise.reject(error));
  died.catch(() => undefined);
  return async (type, params, signal) => {
    const source = tokenOf(signal ?? new AbortController().signal);
    try {
      return await Promise.race([connection.sendRequest(type.method, params, source.token) as Promise<never>, died]);
    } catch (thrown) {
      const error = fromResponseError(thrown);
      // Who cancels does not care whether the engine stopped by itself or had to be killed.
      if (signal?.aborted) throw new BulwarkError("CANCELLED", "Cancelled.", undefined, { cause: error });
      if (error instanceof BulwarkError) throw error;
      // A disposed connection rejects first; the exit says why.
      throw await Promise.race([exited, new Promise((resolve) => setTimeout(() => resolve(error), 200))]);
    } finally {
      source.dispose();
    }
  };
}

function watchOutput(child: ChildProcess, log: LogLine): string[] {
  const last: string[] = [];
  const watch = (stream: NodeJS.ReadableStream | null, level: "info" | "warn"): void => {
    if (!stream) return;
    createInterface({ input: stream }).on("line", (line) => {
      last.push(line);
      if (last.length > keptLines) last.shift();
      log(level, line);
    });
  };
  watch(child.stdout, "info");
  watch(child.stderr, "warn");
  return last;
}

function exitOf(child: ChildProcess, last: readonly string[]): Promise<BulwarkError> {
  return new Promise((resolve) => {
    child.once("error", (error) => resolve(exitError(error.message, last)));
    // "close" comes after the last output, so that `detail` is complete.
    child.once("close", (code, signal) => resolve(exitError(signal ? `signal ${signal}` : `code ${code}`, last)));
  });
}

/** How processes end that native code has brought down: on Windows by the number of an exception, elsewhere by a signal, or by 128 and its number. */
const crashes = /SIG(SEGV|BUS|ILL|FPE|ABRT|TRAP)$|^code (132|133|134|135|136|139|3221225477|3221225501|3221226505)$/;
/** How the advice of every such error begins. */
export const restarts = "Try again; it restarts automatically.";

/** Why an engine is gone, as far as its end and its last words tell, and what helps if it happens again. */
function exitError(why: string, last: readonly string[]): BulwarkError {
  const detail = last.join("\n");
  const error = (message: string, fix: string): BulwarkError =>
    new BulwarkError("ENGINE_EXITED", message, `${restarts} ${fix}`, { detail });
  const smaller = "If this happens again, close other programs, use a smaller model or fewer images, or set bulwark.engine.memory.";
  if (/heap out of memory|bad_alloc|Cannot allocate memory|Array buffer allocation failed/i.test(detail))
    return error(`The engine ran out of memory and ended (${why}).`, smaller);
  if (why === "signal SIGKILL") return error(`The engine was killed (${why}), usually because the computer ran out of memory.`, smaller);
  if (crashes.test(why))
    return error(
      `The engine crashed in native code (${why}).`,
      "If this happens again, choose another backend or device. The log has details.",
    );
  return error(`The engine ended (${why}).`, "The log has details.");
}

function portOf(child: ChildProcess): Port {
  return {
    send: (message) => {
      if (child.connected) child.send(message as object, () => undefined);
    },
    onMessage: (listener) => {
      child.on("message", listener);
      return { dispose: () => child.off("message", listener) };
    },
    onClose: (listener) => {
      child.once("disconnect", listener);
      return { dispose: () => child.off("disconnect", listener) };
    },
  };
}
