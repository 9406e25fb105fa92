import { stat } from "node:fs/promises";
import path from "node:path";
import { BulwarkError, isCancelled } from "../../../shared/errors.ts";
import type { PatchPlacement } from "../../../shared/patch.ts";
import type { StudioIntent, StudioTask } from "../../../shared/patchStudio.ts";
import { patchSuccessMapProgress, requests } from "../../../shared/protocol.ts";
import { panelError } from "../../messages.ts";
import { requireTrust, rootFolder } from "../../workspace.ts";
import { imagesOf } from "./choices.ts";
import { change, dropOld, type Session, save } from "./session.ts";

type Wish<K extends StudioIntent["kind"]> = Extract<StudioIntent, { readonly kind: K }>;
const keptPictures = 8;
type TaskName = "preview" | "map" | "exported";

/** The patch as requests name it. @throws USAGE without one */
function patchOf({ state }: Session) {
  const { patch } = state;
  if (!patch) throw new BulwarkError("PARAMETER_INVALID", "There is no patch yet.", "Train one, or choose a picture as a sticker.");
  const { area, target } = patch.sticker;
  return patch.document ? { patch: patch.file } : { patch: patch.file, sticker: { area, ...(target < 0 ? {} : { target }) } };
}

/** Runs one task of the studio: a newer one of its kind cancels it. */
async function perform<R>(
  session: Session,
  name: TaskName,
  total: number,
  work: (signal: AbortSignal) => Promise<R>,
): Promise<R | undefined> {
  session.aborts.get(name)?.abort();
  const abort = new AbortController();
  session.aborts.set(name, abort);
  const set = (task: StudioTask<unknown>): void => {
    if (session.aborts.get(name) === abort) change(session, { [name]: task });
  };
  const before = session.state[name]?.result ?? null;
  set({ status: "running", done: 0, total, result: before, error: null });
  try {
    requireTrust();
    const result = await work(abort.signal);
    set({ status: "done", done: total, total, result, error: null });
    return result;
  } catch (thrown) {
    const cancelled = isCancelled(thrown);
    if (!cancelled) session.services.log.error(thrown instanceof Error ? thrown : String(thrown));
    set({ status: cancelled ? "cancelled" : "failed", done: 0, total, result: before, error: cancelled ? null : panelError(thrown) });
    return undefined;
  } finally {
    await save(session);
  }
}

export async function preview(session: Session, { count, transforms, seed }: Wish<"preview">): Promise<void> {
  const name = `preview-${++session.count}`;
  const { settings: chosen } = session.state;
  const shown = await perform(session, "preview", count, async (signal) => {
    const images = await imagesOf(chosen, "test");
    const where = { directory: path.join(session.directory, name), workspace: rootFolder(chosen.tryModel) };
    const request = { model: chosen.tryModel, images, ...patchOf(session), count, transforms, seed, ...where };
    const result = await session.services.engine.request(requests.previewPatch, request, signal);
    return { ...result, pictures: result.pictures.map((p) => ({ ...p, file: `${name}/${p.file}` })) };
  });
  if (shown) await dropOld(session.directory, "preview-", (folder) => folder === name);
}

export async function successMap(session: Session, { stride, rotation, scale, images: limit }: Wish<"map">): Promise<void> {
  const name = `map-${++session.count}`;
  const { settings: chosen } = session.state;
  const { services } = session;
  const shown = await perform(session, "map", 1, async (signal) => {
    const directory = path.join(session.directory, name);
    const images = { ...(await imagesOf(chosen, "test")), limit };
    const engine = await services.engine.get();
    const listener = engine.onProgress(patchSuccessMapProgress, directory, ({ done, total }) => {
      const { map } = session.state;
      if (map?.status === "running") change(session, { map: { ...map, done, total } });
    });
    const request = { model: chosen.tryModel, images, ...patchOf(session), stride, rotation, scale, directory };
    try {
      return await services.engine.request(
        requests.patchSuccessMap,
        { ...request, workspace: rootFolder(chosen.tryModel), token: directory },
        signal,
      );
    } finally {
      listener.dispose();
    }
  });
  if (shown) await dropOld(session.directory, "map-", (folder) => folder === name);
}

/** Pastes the patch at one place of the chosen picture; the webview asks again only after the answer. Without a place it goes into the middle. */
export async function place(session: Session, wanted: PatchPlacement | null): Promise<void> {
  const at = session.state.place;
  if (!at || !session.state.patch) return;
  change(session, { place: { ...at, placement: wanted, status: "running", error: null } });
  try {
    requireTrust();
    const placement = wanted ?? (await middle(session, at.image));
    const file = `placed-${++session.count}.png`;
    const result = await paste(session, at.image, placement, file);
    const now = session.state.place;
    if (now?.image !== at.image) return;
    change(session, { place: { ...now, placement: now.placement ?? placement, status: "done", result, shown: placement, error: null } });
    // The webview may still be loading the one before.
    await dropOld(session.directory, "placed-", (name) => Number(/\d+/.exec(name)?.[0]) > session.count - keptPictures);
    await save(session);
  } catch (thrown) {
    const now = session.state.place;
    if (now?.image === at.image) change(session, { place: { ...now, status: "failed", error: panelError(thrown) } });
  }
}

const paste = (session: Session, image: string, placement: PatchPlacement, file: string) => {
  const request = { model: session.state.settings.tryModel, image, ...patchOf(session), placement, directory: session.directory, file };
  return session.services.engine.request(requests.applyPatch, request);
};

/** The size of the model's images is told with the first picture. */
async function middle(session: Session, image: string): Promise<PatchPlacement> {
  const corner = { row: 0, column: 0, rotation: 0, scale: 1 };
  const { imageSize } = await paste(session, image, corner, "placed-0.png");
  return { ...corner, row: imageSize[0] / 2, column: imageSize[1] / 2 };
}

export async function exportPatch(session: Session, wish: Wish<"export">, file: string): Promise<void> {
  const { centimetres, dpi, upscaling, background } = wish;
  await perform(session, "exported", 1, async (signal) => {
    const request = { ...patchOf(session), centimetres, dpi, upscaling, background, file };
    const result = await session.services.engine.request(requests.exportPatch, request, signal);
    await stat(result.file); // what is said to be there is there
    return result;
  });
}
