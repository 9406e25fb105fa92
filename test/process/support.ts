import { type ChildProcess, fork, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import type { MessageConnection, RequestType } from "vscode-jsonrpc";
import "vscode-jsonrpc/node";
import { writeNpz } from "../../src/engine/io/npz.ts";
import { createRandom } from "../../src/engine/random.ts";
import type { ErrorData } from "../../src/shared/errors.ts";
import { parseEvents, type RunEvent } from "../../src/shared/events.ts";
import { type Handshake, protocolVersion, requests } from "../../src/shared/protocol.ts";
import { connect, fromResponseError, type Port, tokenOf } from "../../src/shared/rpc.ts";

const root = path.resolve(import.meta.dirname, "../..");
/** `BULWARK_DIST` names another build. */
export const dist = process.env["BULWARK_DIST"] ?? path.join(root, "dist");

export interface Workspace {
  readonly directory: string;
  file(name: string): string;
  write(name: string, content: string | Uint8Array): string;
  remove(): void;
}

/** An empty folder, removed at the end. */
export function newWorkspace(): Workspace {
  const directory = mkdtempSync(path.join(os.tmpdir(), "bulwark-process-"));
  const file = (name: string): string => path.join(directory, name);
  return {
    directory,
    file,
    write(name, content) {
      writeFileSync(file(name), content);
      return file(name);
    },
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}

const side = 16;
const pixels = side * side;

/** Three classes of 16×16 pictures that a small network tells apart at once: the bright third says the class. */
export async function writeData(workspace: Workspace, n = 96): Promise<string> {
  const rng = createRandom(3);
  const images = new Float32Array(n * pixels);
  const labels = Int32Array.from({ length: n }, (_, i) => i % 3);
  for (let i = 0; i < n; i++)
    for (let pixel = 0; pixel < pixels; pixel++) {
      const third = Math.floor((3 * (pixel % side)) / side);
      images[i * pixels + pixel] = (third === labels[i] ? 0.6 : 0.2) + rng.uniform(0, 0.2);
    }
  const file = workspace.file("data.npz");
  await writeNpz(file, { images: { data: images, shape: [n, side, side, 1] }, labels: { data: labels, shape: [n] } });
  return file;
}

export interface Finished {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}
export interface Running {
  readonly child: ChildProcess;
  readonly finished: Promise<Finished>;
}

/** `bulwark …` in the workspace. */
export function start(workspace: Workspace, words: readonly string[], env: NodeJS.ProcessEnv = {}): Running {
  const child = spawn(process.execPath, [path.join(dist, "cli.cjs"), ...words], {
    cwd: workspace.directory,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let [stdout, stderr] = ["", ""];
  child.stdout?.on("data", (data: Buffer) => {
    stdout += data.toString("utf8");
  });
  child.stderr?.on("data", (data: Buffer) => {
    stderr += data.toString("utf8");
  });
  const finished = new Promise<Finished>((resolve) => {
    child.on("close", (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
  return { child, finished };
}
export const bulwark = (workspace: Workspace, ...words: string[]): Promise<Finished> => start(workspace, words).finished;

export const readJson = <T>(file: string): T => JSON.parse(readFileSync(file, "utf8")) as T;

/** Waits until `events.jsonl` of a run says what is asked for. @throws when the process that writes it ends without having said so */
export async function untilEvent(
  { finished }: Pick<Running, "finished">,
  directory: string,
  wanted: (event: RunEvent) => boolean,
): Promise<void> {
  let ended: Finished | undefined;
  void finished.then((end) => {
    ended = end;
  });
  for (;;) {
    const end = ended; // before the file is read: what was written last counts
    let text = "";
    try {
      text = readFileSync(path.join(directory, "events.jsonl"), "utf8");
    } catch {
      // not yet there
    }
    if (parseEvents(text).some(wanted)) return;
    if (end) throw new Error(`The process ended (${end.code ?? end.signal}) before the event came.\n${end.stderr}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/**
 * `bulwark cancel` of a run once its events say what is asked for. The run waits for the question, which takes a process of its own: on a
 * busy machine it could end before.
 */
export async function cancelAt(
  workspace: Workspace,
  running: Running,
  run: string,
  wanted: (event: RunEvent) => boolean,
  ...more: string[]
): Promise<Finished> {
  await untilEvent(running, workspace.file(run), wanted);
  running.child.kill("SIGSTOP");
  const asked = bulwark(workspace, "cancel", run, ...more);
  while (!existsSync(workspace.file(`${run}/cancel.json`))) await new Promise((resolve) => setTimeout(resolve, 20));
  running.child.kill("SIGCONT");
  return asked;
}

export interface EngineHandle {
  readonly child: ChildProcess;
  readonly connection: MessageConnection;
  readonly output: () => string;
  request<P, R>(type: RequestType<P, R, ErrorData>, params: P, signal?: AbortSignal): Promise<R>;
  handshake(backend?: string): Promise<Handshake>;
  end(): void;
}

/** The bundled engine over IPC, as the extension starts it; `preload` is a module that runs in it first, `env` its whole environment. */
export function startEngine(workspace: Workspace, preload?: string, env: NodeJS.ProcessEnv = process.env): EngineHandle {
  const child = fork(path.join(dist, "engine.cjs"), [], {
    cwd: workspace.directory,
    env,
    execArgv: preload ? ["--require", preload] : [],
    serialization: "json",
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  let output = "";
  child.stdout?.on("data", (data: Buffer) => {
    output += data.toString("utf8");
  });
  const connection = connect(portOf(child));
  connection.listen();
  const request: EngineHandle["request"] = async (type, params, signal) => {
    const source = tokenOf(signal ?? new AbortController().signal);
    try {
      return (await connection.sendRequest(type.method, params, source.token)) as never;
    } catch (thrown) {
      throw fromResponseError(thrown);
    }
  };
  return {
    child,
    connection,
    output: () => output,
    request,
    handshake: (backend = "cpu") => request(requests.handshake, { backend, protocol: protocolVersion }),
    end: () => {
      connection.dispose();
      child.kill("SIGKILL");
    },
  };
}

const portOf = (child: ChildProcess): Port => ({
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
});
