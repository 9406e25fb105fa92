import type { FromWebview, ToWebview } from "../../src/shared/panels.ts";
import { keepPicture } from "./pixels.ts";

interface VsCodeApi {
  postMessage(message: unknown): void;
  getState(): unknown;
  setState(state: unknown): void;
}
/** State that the page itself keeps. */
interface Kept {
  readonly runId?: string;
  readonly unfolded?: readonly string[];
}
declare function acquireVsCodeApi(): VsCodeApi;

export interface Connection<Intent> {
  send(intent: Intent): void;
  /** The run to come back to after a window reload; the host keeps everything else. */
  persist(runId: string): void;
  /** Titles of the unfolded sections. Survives hiding the tab and reloading the window. */
  readonly layout: { get(): readonly string[]; set(unfolded: readonly string[]): void };
}

/** Says `ready`, then hands over one full state and the updates that follow. Once a page. */
export function connect<State, Update, Intent>(handlers: { state(state: State): void; update(update: Update): void }): Connection<Intent> {
  const api = acquireVsCodeApi();
  const post = (message: FromWebview<Intent>): void => api.postMessage(message);
  window.addEventListener("message", (event: MessageEvent<ToWebview<State, Update>>) => {
    const message = event.data;
    if (message.type === "state") handlers.state(message.state);
    else if (message.type === "update") {
      for (const picture of message.pictures) keepPicture(picture);
      handlers.update(message.update);
    }
  });
  let persisted: string | undefined;
  const keep = (change: Kept): void => api.setState({ ...(api.getState() as Kept | undefined), ...change });
  post({ type: "ready" });
  return {
    send: (intent) => post({ type: "intent", intent }),
    persist(runId) {
      if (runId === persisted) return;
      persisted = runId;
      keep({ runId });
      post({ type: "persist", runId });
    },
    layout: {
      get: () => (api.getState() as Kept | undefined)?.unfolded ?? [],
      set: (unfolded) => keep({ unfolded }),
    },
  };
}

/** Address of a file of a run; absolute addresses and data stay as they are. */
export const fileUrl = (base: string, file: string): string => (/^[a-z][a-z0-9+.-]*:/i.test(file) ? file : `${base}/${file}`);
