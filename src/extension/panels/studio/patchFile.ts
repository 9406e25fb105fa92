import path from "node:path";
import * as vscode from "vscode";
import { imageExtensions } from "../../../shared/contributions.ts";
import { BulwarkError } from "../../../shared/errors.ts";
import type { PatchDocument } from "../../../shared/patch.ts";
import type { StudioPatch } from "../../../shared/patchStudio.ts";
import { patchDocument } from "../../../shared/pictureShapes.ts";
import { runFiles } from "../../../shared/runs.ts";
import { exists, readWhole } from "../../files.ts";
import { shortPath } from "../../workspace.ts";
import { change, type Session, save, uriOf } from "./session.ts";
import { place } from "./tasks.ts";

const sticker = { area: 0.1, target: -1 };

/** What a file is as a patch: a trained one (patch.json, or the PNG beside it), or a picture to be used as a sticker. @throws FILE_NOT_FOUND */
export async function readPatch(file: string): Promise<Omit<StudioPatch, "uri">> {
  const document = await documentOf(file);
  const folder = path.dirname(file);
  const picture = document ? path.join(folder, document.file) : file;
  if (!(await exists(picture)))
    throw new BulwarkError("FILE_NOT_FOUND", `There is no patch at ${shortPath(picture)}.`, "Train a patch, or choose another file.");
  const name = document ? shortPath(folder) : path.basename(file);
  const files = document ? [picture, path.join(folder, runFiles.patchDocument)] : [picture];
  return { file: picture, name, document, sticker, files };
}

async function documentOf(file: string): Promise<PatchDocument | null> {
  const json = path.join(path.dirname(file), runFiles.patchDocument);
  if (file !== json && path.basename(file) !== runFiles.patch) return null;
  return (await readWhole(json, patchDocument)) ?? null;
}

/** Takes a patch into the studio and puts it on the picture there; what was computed with another one goes. */
export async function usePatch(session: Session, file: string, kept?: StudioPatch["sticker"]): Promise<void> {
  await setPatch(session, file, kept);
  await place(session, null);
}

export async function setPatch(session: Session, file: string, kept: StudioPatch["sticker"] = sticker): Promise<void> {
  const patch = await readPatch(file);
  const { place } = session.state;
  change(session, {
    patch: { ...patch, sticker: kept, uri: uriOf(session, patch.file) },
    preview: null,
    map: null,
    exported: null,
    place: place && { ...place, placement: null, result: null, shown: null, status: "done", error: null },
  });
  await save(session);
}

/** Asks for a patch or a sticker; undefined when nothing was chosen. */
export async function askPatch(): Promise<string | undefined> {
  const filters = { "Patches and pictures": [...imageExtensions, "json"] };
  const [chosen] = (await vscode.window.showOpenDialog({ title: "Use as patch", canSelectMany: false, filters })) ?? [];
  return chosen?.fsPath;
}
