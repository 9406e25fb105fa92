import path from "node:path";
import * as vscode from "vscode";
import { studioIntents } from "../../../shared/intents.ts";
import { type StudioIntent, type StudioState, type StudioUpdate, studioFolder } from "../../../shared/patchStudio.ts";
import { rememberModel } from "../../choose.ts";
import { panelError } from "../../messages.ts";
import type { Services } from "../../services.ts";
import { resultFolders, rootFolder } from "../../workspace.ts";
import type { PanelHost } from "../host.ts";
import { definePanel, type OwnIntent } from "../panel.ts";
import { answer } from "./answer.ts";
import { attackSchema, firstSettings, imageChoices, modelChoices, sourceChoices } from "./choices.ts";
import { loadClasses, placeOf, useImage } from "./contents.ts";
import { setPatch } from "./patchFile.ts";
import { change, type Kept, newSessionFolder, readSession, type Session, save, uriOf } from "./session.ts";
import { place } from "./tasks.ts";

/** What the studio is opened about. */
export interface StudioSubject {
  readonly image?: string;
  readonly model?: string;
  readonly patch?: string;
}
export interface Studio {
  readonly panel: vscode.WebviewPanel;
  readonly directory: string;
  readonly state: StudioState;
  /** Resolves when models, data and pictures of the workspace were found. */
  readonly ready: Promise<void>;
  /** What a person does in the panel. Errors are shown there. */
  act(intent: OwnIntent<StudioIntent>): Promise<void>;
  about(subject: StudioSubject): Promise<void>;
  /** Ends what is under way. */
  stop(): void;
}

interface Subject {
  readonly directory: string;
  /** What an earlier window had. */
  readonly kept: Kept | undefined;
}

/** There is one studio. */
const key = "studio";

export const studioPanel = definePanel<Subject, StudioState, StudioUpdate, StudioIntent, Studio>({
  name: "patchStudio",
  intents: studioIntents,
  looks: ["cancel", "reveal"],
  key: () => key,
  title: () => "Patch Studio",
  // Any picture of the workspace may be chosen to put the patch on.
  roots: () => resultFolders(),
  column: () => vscode.ViewColumn.Active,
  keepsFocus: false,
  folder: studioFolder,
  read: async (directory) => ({ directory, kept: await readSession(directory) }),
  start: (host, services, subject) => startStudio(host, services, subject),
  answer: (studio, intent) => studio.act(intent),
  errors: ({ state: { error, training, place: placed, preview, map, exported } }) => [
    error,
    training?.error,
    placed?.error,
    preview?.error,
    map?.error,
    exported?.error,
  ],
  directory: ({ directory }) => directory,
  stop: (studio) => studio.stop(),
});

export const currentStudio = (services: Services): Studio | undefined => studioPanel.get(services, key);

/** The studio that is open, or a new one. */
export async function openStudio(services: Services): Promise<Studio> {
  // A new studio's folder is made only where there is no studio to come back.
  await studioPanel.wake(services, { directory: "", kept: undefined });
  const directory = currentStudio(services)?.directory ?? newSessionFolder(rootFolder());
  return studioPanel.open(services, { directory, kept: undefined });
}

function startStudio(host: PanelHost<StudioState, StudioUpdate>, services: Services, { directory, kept }: Subject): Studio {
  const session: Session = {
    services,
    host,
    directory,
    state: emptyState(services, host, directory),
    aborts: new Map(),
    count: Date.now() % 1e9,
    saving: Promise.resolve(),
  };
  const ready = fill(session, kept);
  host.show(session.state);
  return {
    panel: host.panel,
    directory,
    get state() {
      return session.state;
    },
    ready,
    act: (intent) => answer(session, intent),
    about: (subject) => about(session, ready, subject),
    stop() {
      for (const abort of session.aborts.values()) abort.abort();
    },
  };
}

const emptyState = (services: Services, host: PanelHost<StudioState, StudioUpdate>, directory: string): StudioState => ({
  session: path.basename(directory),
  base: host.uri(directory),
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
  const { services, host } = session;
  try {
    const [models, images] = await Promise.all([modelChoices(services), imageChoices(host.uri)]);
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
