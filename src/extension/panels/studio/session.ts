import { readdirSync, rmSync } from "node:fs";
import { readdir, rm } from "node:fs/promises";
import path from "node:path";
import { Type } from "@sinclair/typebox";
import * as vscode from "vscode";
import type { PanelError } from "../../../shared/panels.ts";
import type { ExportPatchResult, PatchSuccessMapResult, PreviewPatchResult } from "../../../shared/patch.ts";
import type { StudioSettings, StudioState, StudioTask, StudioUpdate } from "../../../shared/patchStudio.ts";
import { studioFolder } from "../../../shared/patchStudio.ts";
import { fields, list, natural, num, oneOf, orNull, type Shape, text, whole } from "../../../shared/shapes.ts";
import { isInside, makeFolder, readWhole, writeWhole } from "../../files.ts";
import type { Services } from "../../services.ts";
import { resultFolders } from "../../workspace.ts";
import type { PanelHost } from "../host.ts";

/** One Patch Studio: its state, where it writes, and what is under way. */
export interface Session {
  readonly services: Services;
  readonly host: PanelHost<StudioState, StudioUpdate>;
  readonly directory: string;
  state: StudioState;
  readonly aborts: Map<string, AbortController>;
  /** Numbers the pictures that are written: a webview would show its cached ones otherwise. */
  count: number;
  saving: Promise<void>;
}

/** What a reload has to bring back. URIs are made anew; what was under way has ended with the window. */
export type Kept = Pick<StudioState, "training" | "preview" | "map" | "exported"> & {
  readonly settings: StudioSettings;
  readonly patch: { readonly file: string; readonly area: number; readonly target: number } | null;
  readonly place: Pick<NonNullable<StudioState["place"]>, "image" | "placement"> | null;
};
const file = "session.json";
const status = oneOf(["running", "done", "failed", "cancelled", "interrupted"]);
/** What the engine answered is shown and no more. */
const task = <R>() => orNull(Type.Unsafe<StudioTask<R>>(Type.Object({ status, done: num, total: num, result: orNull(fields) })));
const figures = { images: natural, successRate: orNull(num), targetRate: orNull(num), logProbability: orNull(num) };
const keptShape: Shape<Kept> = Type.Object({
  settings: Type.Object({ trainModel: text, tryModel: text, source: text, limit: natural, params: fields }),
  training: orNull(
    Type.Object({
      status,
      steps: num,
      images: num,
      target: orNull(Type.Object({ index: natural, name: text })),
      history: list(Type.Object({ ...figures, step: natural })),
      file: orNull(text),
      picture: orNull(text),
      run: text,
      error: Type.Unsafe<PanelError | null>({}),
    }),
  ),
  preview: task<PreviewPatchResult>(),
  map: task<PatchSuccessMapResult>(),
  exported: task<ExportPatchResult>(),
  patch: orNull(Type.Object({ file: text, area: num, target: whole })),
  place: orNull(Type.Object({ image: text, placement: orNull(Type.Object({ row: num, column: num, rotation: num, scale: num })) })),
});
const keptSessions = 20;

export function newSessionFolder(root: string, at = new Date()): string {
  const name = at.toISOString().replace(/\D/g, "").slice(0, 17);
  const directory = path.join(root, studioFolder, name);
  makeFolder(directory);
  // Patches lie in run folders: of earlier sessions only pictures and maps are lost.
  const sessions = readdirSync(path.dirname(directory)).filter((one) => /^\d{17}$/.test(one));
  for (const old of sessions.sort().slice(0, -keptSessions))
    rmSync(path.join(path.dirname(directory), old), { recursive: true, force: true });
  return directory;
}

export function change(session: Session, next: Partial<StudioState>): void {
  session.state = { ...session.state, ...next };
  session.host.update({ kind: "change", change: next }, session.state);
}

/** Writes the session down; writes follow one another. Nothing is written into a folder that is not trusted. */
export function save(session: Session): Promise<void> {
  if (!vscode.workspace.isTrusted) return session.saving;
  const { state, directory } = session;
  const { training, preview, map, exported, settings, patch, place } = state;
  const kept: Kept = {
    settings,
    training,
    preview,
    map,
    exported,
    patch: patch && { file: patch.file, ...patch.sticker },
    place: place && { image: place.image, placement: place.placement },
  };
  const text = `${JSON.stringify(kept)}\n`;
  session.saving = session.saving
    .then(() => writeWhole(path.join(directory, file), text))
    .catch((thrown: unknown) => {
      session.services.log.warn(`The Patch Studio's session was not written: ${thrown}`);
    });
  return session.saving;
}

export async function readSession(directory: string): Promise<Kept | undefined> {
  const kept = await readWhole(path.join(directory, file), keptShape);
  if (!kept) return undefined;
  // The file may come from somebody else: what it names outside the open folders is left out.
  const isOurs = (one: string): boolean => resultFolders().some((root) => isInside(root, one));
  const { training, patch, place } = kept;
  return {
    ...kept,
    training: training && isOurs(training.run) ? training : null,
    patch: patch && isOurs(patch.file) ? patch : null,
    place: place && isOurs(place.image) ? place : null,
  };
}

/** Pictures of an earlier place or preview are not needed once the next are there. */
export async function dropOld(directory: string, prefix: string, keep: (name: string) => boolean): Promise<void> {
  const names = await readdir(directory).catch(() => []);
  await Promise.all(
    names.filter((n) => n.startsWith(prefix) && !keep(n)).map((n) => rm(path.join(directory, n), { recursive: true, force: true })),
  );
}

export const uriOf = ({ host }: Pick<Session, "host">, path: string): string => host.uri(path);
