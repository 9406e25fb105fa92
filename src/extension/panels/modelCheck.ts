import { isCancelled } from "../../shared/errors.ts";
import type { ModelCheckState } from "../../shared/pages.ts";
import { checkModelProgress, requests } from "../../shared/protocol.ts";
import { panelError } from "../messages.ts";
import type { Services } from "../services.ts";

/** The check of one model's weights and scores, which its page starts, shows and cancels. */
export interface ModelChecker {
  /** Starts anew; one that still runs is cancelled. */
  start(): Promise<void>;
  cancel(): void;
}

export function modelChecker(services: Services, model: string, show: (state: ModelCheckState) => void): ModelChecker {
  let running: AbortController | undefined;
  const cancel = (): void => running?.abort();
  return {
    cancel,
    async start() {
      cancel();
      const abort = new AbortController();
      running = abort;
      const say = (state: ModelCheckState): void => {
        if (running === abort) show(state);
      };
      say({ status: "running", update: null, result: null, error: null });
      try {
        say({ status: "done", update: null, result: await check(services, model, abort.signal, say), error: null });
      } catch (thrown) {
        if (isCancelled(thrown)) return say({ status: "cancelled", update: null, result: null, error: null });
        services.log.error(thrown instanceof Error ? thrown : String(thrown));
        say({ status: "failed", update: null, result: null, error: panelError(thrown) });
      }
    },
  };
}

let checks = 0;

async function check(services: Services, model: string, signal: AbortSignal, say: (state: ModelCheckState) => void) {
  const token = `check ${++checks}`;
  const engine = await services.engine.get();
  const listener = engine.onProgress(checkModelProgress, token, (update) => {
    if (!signal.aborted) say({ status: "running", update, result: null, error: null });
  });
  try {
    return await services.engine.request(requests.checkModel, { model, token }, signal);
  } finally {
    listener.dispose();
  }
}
