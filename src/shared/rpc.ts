import {
  CancellationTokenSource,
  createMessageConnection,
  type Disposable,
  type MessageConnection,
  type MessageReader,
  type MessageWriter,
  ResponseError,
} from "vscode-jsonrpc";
import { BulwarkError, type ErrorData, fromErrorData, toErrorData } from "./errors.ts";

/** Anything that sends objects both ways: a child process's IPC channel, `postMessage`, an in-memory pair. */
export interface Port {
  send(message: unknown): void;
  onMessage(listener: (message: unknown) => void): Disposable;
  onClose(listener: () => void): Disposable;
}

const noop: Disposable = { dispose: () => undefined };

/** A JSON-RPC connection over a port; call `listen()` after registering handlers. */
export function connect(port: Port): MessageConnection {
  const reader: MessageReader = {
    onError: () => noop,
    onClose: (listener) => port.onClose(() => listener(undefined)),
    onPartialMessage: () => noop,
    listen: (callback) => port.onMessage((message) => callback(message as Parameters<typeof callback>[0])),
    dispose: () => undefined,
  };
  const writer: MessageWriter = {
    onError: () => noop,
    onClose: (listener) => port.onClose(() => listener()),
    write: async (message) => port.send(message),
    end: () => undefined,
    dispose: () => undefined,
  };
  return createMessageConnection(reader, writer);
}

/** Two ports joined in memory: for tests, and for the engine inside one process. */
export function portPair(): readonly [Port, Port] {
  const listeners: [Set<(m: unknown) => void>, Set<(m: unknown) => void>] = [new Set(), new Set()];
  const port = (mine: 0 | 1): Port => ({
    send: (message) => {
      const copy: unknown = structuredClone(message);
      setTimeout(() => {
        for (const listener of listeners[mine === 0 ? 1 : 0]) listener(copy);
      }, 0);
    },
    onMessage: (listener) => {
      listeners[mine].add(listener);
      return { dispose: () => listeners[mine].delete(listener) };
    },
    onClose: () => noop,
  });
  return [port(0), port(1)];
}

/** Our error as a JSON-RPC error, for a request handler to throw. */
export function toResponseError(thrown: unknown): ResponseError<ErrorData> {
  const data = toErrorData(thrown);
  return new ResponseError(data.code === "BUG" ? -32603 : -32000, data.message, data);
}

/** Undoes `toResponseError` on the calling side. */
export function fromResponseError(thrown: unknown): unknown {
  if (thrown instanceof ResponseError && isErrorData(thrown.data)) return fromErrorData(thrown.data);
  return thrown;
}

const isErrorData = (data: unknown): data is ErrorData => typeof data === "object" && data !== null && "code" in data && "message" in data;

/** A cancellation token that follows an AbortSignal. */
export function tokenOf(signal: AbortSignal): CancellationTokenSource {
  const source = new CancellationTokenSource();
  if (signal.aborted) source.cancel();
  else signal.addEventListener("abort", () => source.cancel(), { once: true });
  return source;
}

export { BulwarkError };
