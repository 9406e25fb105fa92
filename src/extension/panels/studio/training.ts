import path from "node:path";
import { settings } from "../../../shared/contributions.ts";
import { isCancelled } from "../../../shared/errors.ts";
import type { TrainPatchUpdate } from "../../../shared/patch.ts";
import type { StudioTraining } from "../../../shared/patchStudio.ts";
import { requests, trainPatchProgress } from "../../../shared/protocol.ts";
import type { EngineProcess } from "../../engine/process.ts";
import { panelError } from "../../messages.ts";
import { dropEmpty, newRunDirectory } from "../../runFolder.ts";
import { requireTrust, rootFolder, setting } from "../../workspace.ts";
import { imagesOf } from "./choices.ts";
import { usePatch } from "./patchFile.ts";
import { change, type Session, save, uriOf } from "./session.ts";

const graceSeconds = 10;

/** Trains a patch in a process of its own, so that patches can be tried meanwhile; the finished one is taken into the studio. */
export async function trainPatch(session: Session, goOn: boolean): Promise<void> {
  const { services } = session;
  session.aborts.get("train")?.abort();
  const abort = new AbortController();
  session.aborts.set("train", abort);
  const { trainModel, params } = session.state.settings;
  let directory = "";
  let engine: EngineProcess | undefined;
  const set = (next: Partial<StudioTraining>): void => {
    if (session.state.training && session.aborts.get("train") === abort)
      change(session, { training: { ...session.state.training, ...next } });
  };
  try {
    requireTrust();
    const stopped = goOn ? session.state.training : null;
    directory = stopped?.run ?? newRunDirectory(rootFolder(trainModel), `patch ${path.basename(path.dirname(trainModel))}`);
    change(session, { training: { ...(stopped ?? begun), status: "running", error: null, run: directory } });
    engine = await services.startProcess();
    const { kill } = engine;
    abort.signal.addEventListener("abort", () => setTimeout(() => kill("SIGKILL"), graceSeconds * 1000).unref(), { once: true });
    const listener = engine.onProgress(trainPatchProgress, directory, (update) => {
      if (!abort.signal.aborted) set(after(session, directory, update));
    });
    const images = await imagesOf(session.state.settings, "train");
    const request = {
      model: trainModel,
      images,
      settings: params,
      seed: setting(settings.seed, 1),
      directory,
      workspace: rootFolder(trainModel),
    };
    const result = await engine.request(requests.trainPatch, { ...request, token: directory }, abort.signal);
    listener.dispose();
    const file = path.join(directory, result.image);
    set({ status: "done", history: result.patch.training.history, file, picture: uriOf(session, file) });
    await usePatch(session, path.join(directory, result.document));
  } catch (thrown) {
    const cancelled = isCancelled(thrown);
    if (!cancelled) services.log.error(thrown instanceof Error ? thrown : String(thrown));
    set({ status: cancelled ? "cancelled" : "failed", error: cancelled ? null : panelError(thrown) });
    if (directory !== "") await dropEmpty(directory);
  } finally {
    engine?.kill();
    services.runs.refresh();
    await save(session);
  }
}

const begun: StudioTraining = {
  status: "running",
  steps: 0,
  images: 0,
  target: null,
  history: [],
  file: null,
  picture: null,
  run: "",
  error: null,
};

function after(session: Session, directory: string, update: TrainPatchUpdate): Partial<StudioTraining> {
  if (update.kind === "started") return { steps: update.steps, images: update.images, target: update.target };
  const file = update.picture === null ? null : path.join(directory, update.picture);
  // A reload during the training finds what had been reached.
  if (file) void save(session);
  return {
    steps: update.steps,
    // Steps since the last checkpoint come again when a training goes on.
    history: [...(session.state.training?.history ?? []).filter(({ step }) => step < update.point.step), update.point],
    ...(file ? { file, picture: uriOf(session, file) } : {}),
  };
}
