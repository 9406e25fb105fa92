import { createHash } from "node:crypto";
import { copyFile, mkdir } from "node:fs/promises";
import path from "node:path";
import * as vscode from "vscode";
import { imageExtensions } from "../../../shared/contributions.ts";
import { isCancelled } from "../../../shared/errors.ts";
import {
  type StudioChange,
  type StudioChoice,
  type StudioIntent,
  type StudioState,
  studioFiles,
  withChange,
} from "../../../shared/patchStudio.ts";
import { isInside } from "../../files.ts";
import { panelError } from "../../messages.ts";
import { rootFolder, rootFolders } from "../../workspace.ts";
import type { OwnIntent } from "../panel.ts";
import { sourceChoices, sourceOf } from "./choices.ts";
import { loadClasses, useImage } from "./contents.ts";
import { askPatch, readPatch, usePatch } from "./patchFile.ts";
import { change, type Session, save } from "./session.ts";
import { exportPatch, place, preview, successMap } from "./tasks.ts";
import { trainPatch } from "./training.ts";

/** What a person did in the panel. Whatever goes wrong is shown in the panel. */
export async function answer(session: Session, intent: OwnIntent<StudioIntent>): Promise<void> {
  try {
    await act(session, intent);
  } catch (thrown) {
    if (!isCancelled(thrown)) change(session, { error: panelError(thrown) });
  }
}

async function act(session: Session, intent: OwnIntent<StudioIntent>): Promise<void> {
  const { state } = session;
  switch (intent.kind) {
    case "settings":
      return useSettings(session, intent.settings);
    case "train":
      return trainPatch(session, intent.goOn);
    case "cancel":
      session.aborts.get(intent.what)?.abort();
      return;
    case "chooseFolder":
      return chooseFolder(session);
    case "image":
      return chooseImage(session, intent.file);
    case "choosePatch":
      return choosePatch(session);
    case "sticker":
      if (state.patch) await usePatch(session, state.patch.file, { area: intent.area, target: intent.target });
      return;
    case "place":
      return place(session, intent.placement);
    case "preview":
      return preview(session, intent);
    case "map":
      return successMap(session, intent);
    case "export":
      return askAndExport(session, intent);
    case "reveal":
      return reveal(studioFiles(state)[intent.item]);
  }
}

/** Whether models and source are among those on show: a webview names no path. */
function isOnShow({ models, sources, settings }: StudioState, { trainModel, tryModel, source }: StudioChange): boolean {
  const isOf = (value: string | undefined, choices: readonly StudioChoice[], now: string): boolean =>
    value === undefined || value === now || choices.some((choice) => choice.value === value);
  const areModels = isOf(trainModel, models, settings.trainModel) && isOf(tryModel, models, settings.tryModel);
  return areModels && isOf(source, sources, settings.source);
}

async function useSettings(session: Session, changed: StudioChange): Promise<void> {
  if (!isOnShow(session.state, changed)) return;
  const settings = withChange(session.state.settings, changed);
  const isOther = settings.tryModel !== session.state.settings.tryModel;
  change(session, { settings });
  await save(session);
  if (!isOther) return;
  change(session, { preview: null, map: null });
  await loadClasses(session);
  await place(session, session.state.place?.placement ?? null);
}

async function chooseFolder(session: Session): Promise<void> {
  const [folder] =
    (await vscode.window.showOpenDialog({ title: "Pictures to train on", canSelectFolders: true, canSelectFiles: false })) ?? [];
  if (!folder) return;
  const source = sourceOf(folder.fsPath);
  const sources = await sourceChoices(session.state.images, source);
  change(session, { sources, settings: { ...session.state.settings, source } });
  await save(session);
}

async function chooseImage(session: Session, file: string | null): Promise<void> {
  const { images, place: placed } = session.state;
  if (file !== null && file !== placed?.image && !images.some(({ value }) => value === file)) return;
  const filters = { Pictures: [...imageExtensions] };
  const [chosen] = file ? [file] : ((await vscode.window.showOpenDialog({ title: "Place on", filters })) ?? []).map((uri) => uri.fsPath);
  if (chosen) await useImage(session, await within(session, chosen));
}

async function choosePatch(session: Session): Promise<void> {
  const file = await askPatch();
  if (file === undefined) return;
  const { files, document } = await readPatch(file);
  // The description is the last of the files; without it a copy would be a sticker.
  const copies = await Promise.all(files.map((one) => within(session, one)));
  await usePatch(session, (document ? copies.at(-1) : copies[0]) ?? file);
}

/** A webview sees the files of the workspace; others are copied into the session, each folder's into one of their own. */
async function within(session: Session, file: string): Promise<string> {
  if (rootFolders().some((root) => isInside(root, file))) return file;
  const folder = path.join(session.directory, "from", createHash("sha256").update(path.dirname(file)).digest("hex").slice(0, 8));
  await mkdir(folder, { recursive: true });
  const copy = path.join(folder, path.basename(file));
  await copyFile(file, copy);
  return copy;
}

async function askAndExport(session: Session, intent: Extract<StudioIntent, { readonly kind: "export" }>): Promise<void> {
  const name = `patch-${String(intent.centimetres).replace(".", "_")}cm.png`;
  const target = await vscode.window.showSaveDialog({
    defaultUri: vscode.Uri.file(path.join(rootFolder(), name)),
    filters: { PNG: ["png"] },
  });
  if (target) await exportPatch(session, intent, target.fsPath);
}

/** In the explorer, which knows the workspace only; else in the system's file manager. */
async function reveal(file: string | undefined): Promise<void> {
  if (file === undefined) return;
  const isKnown = rootFolders().some((root) => isInside(root, file));
  await vscode.commands.executeCommand(isKnown ? "revealInExplorer" : "revealFileInOS", vscode.Uri.file(file));
}
