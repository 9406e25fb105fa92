import path from "node:path";
import * as vscode from "vscode";
import { panels } from "../../../shared/contributions.ts";
import type { StudioIntent, StudioState, StudioUpdate } from "../../../shared/patchStudio.ts";
import { rememberModel } from "../../choose.ts";
import { panelError } from "../../messages.ts";
import type { Services } from "../../services.ts";
import { rootFolder, rootFolders } from "../../workspace.ts";
import { hostPanel, webviewUri } from "../host.ts";
import { answer } from "./answer.ts";
import { attackSchema, firstSettings, imageChoices, modelChoices, sourceChoices } from "./choices.ts";
import { loadClasses, placeOf, useImage } from "./contents.ts";
import { setPatch } from "./patchFile.ts";
import { change, type Kept, newSessionFolder, readSession, type Session, save, uriOf } from "./session.ts";
import { place } from "./tasks.ts";

export const studioTitle = "Patch Studio";

/** What the studio is opened about. */
export interface StudioSubject {
  readonly image?: string;
  readonly model?: string;
  readonly patch?: string;
}
export interface Studio {
  readonly panel: vscode.WebviewPanel;
  readonly state: StudioState;
  /** Resolves when models, data and pictures of the workspace were found. */
  readonly ready: Promise<void>;
  /** What a person does in the panel. Errors are shown there. */
  act(intent: StudioIntent): Promise<void>;
  about(subject: StudioSubject): Promise<void>;
}

/** The studio that is open, or a new one. */
export function openStudio(services: Services): Studio {
  const { current } = services.studio;
  if (current) {
    current.panel.reveal(current.panel.viewColumn ?? vscode.ViewColumn.Active);
    return current;
  }
  const panel = vscode.window.createWebviewPanel(panels.patchStudio, studioTitle, vscode.ViewColumn.Active);
  return attachStudio(services, panel, newSessionFolder(rootFolder()), undefined);
}

/** A panel that came back after a reload, from its session's folder alone. */
export async function restoreStudio(services: Services, panel: vscode.WebviewPanel, directory: string): Promise<Studio> {
  return attachStudio(services, panel, directory, await readSession(directory));
}

function attachStudio(services: Services, panel: vscode.WebviewPanel, directory: string, kept: Kept | undefined): Studio {
  const host = hostPanel<StudioState, StudioUpdate, StudioIntent>(panel, {
    extensionUri: services.context.extensionUri,
    name: "patchStudio",
    roots: rootFolders(),
    onIntent: (intent) => void answer(session, intent),
    onClose: () => {
      session.isClosed = true;
      for (const abort of session.aborts.values()) abort.abort();
      if (services.studio.current === studio) services.studio.current = undefined;
    },
  });
  const state = emptyState(services, panel, directory);
  const session: Session = {
    services,
    panel,
    host,
    directory,
    state,
    aborts: new Map(),
    count: Date.now() % 1e9,
    saving: Promise.resolve(),
    isClosed: false,
  };
  const ready = fill(session, kept);
  const studio: Studio = {
    panel,
    get state() {
      return session.state;
    },
    ready,
    act: (intent) => answer(session, intent),
    about: (subject) => about(session, ready, subject),
  };
  services.studio.current = studio;
  host.show(session.state);
  return studio;
}

const emptyState = (services: Services, panel: vscode.WebviewPanel, directory: string): StudioState => ({
  session: path.basename(directory),
  base: webviewUri(panel, directory),
  models: [],
  sources: [],
  images: [],
  classes: [],
  schema: attackSchema(services),
  settings: { trainModel: "", tryModel: "", source: "", limit: 0, params: {} },
  training: null,
  patch: null,
  place: null,
  preview: null,
  map: null,
  exported: null,
  error: null,
});

/** Looks for models, data and pictures, and brings back what an earlier window had. */
async function fill(session: Session, kept: Kept | undefined): Promise<void> {
  const { services, panel } = session;
  try {
    const [models, images] = await Promise.all([modelChoices(services), imageChoices(panel)]);
    const sources = await sourceChoices(images, kept?.settings.source ?? "");
    const settings = kept?.settings ?? firstSettings(services, models, sources);
    change(session, { models, images, sources, settings, ...(kept ? restored(session, kept) : {}) });
    if (kept?.patch) await bringBack(session, kept, kept.patch).catch((thrown: unknown) => change(session, { error: panelError(thrown) }));
    await save(session);
    await loadClasses(session);
  } catch (thrown) {
    change(session, { error: panelError(thrown) });
  }
}

/** What was under way ended with the window. */
const ended = <T extends { readonly status: string } | null>(task: T): T =>
  task?.status === "running" ? { ...task, status: "interrupted" } : task;

function restored(session: Session, kept: Kept): Partial<StudioState> {
  const { training, place: placed } = kept;
  return {
    training: training && { ...ended(training), picture: training.file && uriOf(session, training.file) },
    exported: kept.exported,
    ...(placed ? { place: placeOf(session, placed.image, placed.placement) } : {}),
  };
}

async function bringBack(session: Session, kept: Kept, { file, area, target }: NonNullable<Kept["patch"]>): Promise<void> {
  const at = session.state.place;
  await setPatch(session, file, { area, target });
  change(session, { preview: ended(kept.preview), map: ended(kept.map), exported: kept.exported, place: at });
  // Without trust nothing is computed: what was found is shown.
  if (at && vscode.workspace.isTrusted) await place(session, at.placement);
}

async function about(session: Session, ready: Promise<void>, { image, model, patch }: StudioSubject): Promise<void> {
  await ready;
  if (model) {
    rememberModel(session.services, model);
    change(session, { settings: { ...session.state.settings, trainModel: model, tryModel: model } });
    await loadClasses(session);
  }
  if (patch) await setPatch(session, patch);
  const shown = image ?? session.state.place?.image ?? session.state.images[0]?.value;
  if (shown) await useImage(session, shown);
}
