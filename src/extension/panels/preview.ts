import path from "node:path";
import * as vscode from "vscode";
import { commands } from "../../shared/contributions.ts";
import { previewIntents } from "../../shared/intents.ts";
import type { PreviewIntent, PreviewState, PreviewUpdate } from "../../shared/previews.ts";
import { type FoundData, findData } from "../data.ts";
import { exists } from "../files.ts";
import { panelError } from "../messages.ts";
import type { Services } from "../services.ts";
import { shortPath } from "../workspace.ts";
import type { PanelHost } from "./host.ts";
import { definePanel, type OwnIntent } from "./panel.ts";
import { changedPictures, dataPictures, previewFolder, type Shown } from "./previewContents.ts";
import { rememberPage } from "./remembered.ts";

/** A data set, or a run that attacked pictures without labels. */
export type PreviewSubject = { readonly kind: "data"; readonly data: FoundData } | { readonly kind: "changed"; readonly directory: string };

interface Session {
  readonly panel: vscode.WebviewPanel;
  readonly services: Services;
  readonly subject: PreviewSubject;
  state: PreviewState;
  /** Paths of the items; empty where they are no files of the workspace. */
  files: readonly string[];
  /** Shows what there is. Undefined when that failed; the page says why. */
  read(): Promise<PreviewState | undefined>;
}

export const previewPanel = definePanel<PreviewSubject, PreviewState, PreviewUpdate, PreviewIntent, Session>({
  name: "preview",
  intents: previewIntents,
  looks: ["again", "open"],
  key: (subject) => (subject.kind === "data" ? subject.data.spec : subject.directory),
  title: (subject) => (subject.kind === "data" ? `Data: ${subject.data.label}` : `Pictures: ${path.basename(subject.directory)}`),
  roots: (subject) => (subject.kind === "data" ? [folderOf(subject.data), previewFolder()] : [subject.directory]),
  column: () => vscode.ViewColumn.Active,
  keepsFocus: false,
  read: subjectOf,
  comeBack: (session) => void session.read(),
  start,
  answer,
  errors: ({ state }) => [state.error],
  directory: ({ subject }) => (subject.kind === "data" ? folderOf(subject.data) : subject.directory),
  folder: "",
});

/** By the name of a data set, or by the folder of a run. */
async function subjectOf(shown: string): Promise<PreviewSubject | undefined> {
  const data = (await findData()).find(({ spec }) => spec === shown);
  if (data) return { kind: "data", data };
  return (await exists(shown)) ? { kind: "changed", directory: shown } : undefined;
}

const folderOf = ({ kind, directory }: FoundData): string => (kind === "arrays" ? path.dirname(directory) : directory);

function start(host: PanelHost<PreviewState, PreviewUpdate>, services: Services, subject: PreviewSubject): Session {
  const isData = subject.kind === "data";
  const state: PreviewState = {
    runId: rememberPage(services, isData ? subject.data.spec : subject.directory),
    status: "loading",
    title: isData ? subject.data.label : path.basename(subject.directory),
    subtitle: shortPath(isData ? subject.data.directory : subject.directory),
    notes: [],
    skipped: [],
    groups: [],
    grouping: "classes",
    items: [],
    total: 0,
    base: "",
    areFiles: false,
    canEvaluate: isData,
    error: null,
  };
  const session: Session = { panel: host.panel, services, subject, state, files: [], read: () => read(host, session) };
  host.show(state);
  return session;
}

async function read(host: PanelHost<PreviewState, PreviewUpdate>, session: Session): Promise<PreviewState | undefined> {
  const { subject, services } = session;
  const show = (change: Partial<PreviewState>): void => {
    session.state = { ...session.state, ...change };
    host.show(session.state);
  };
  show({ status: "loading", error: null });
  try {
    const shown: Shown = subject.kind === "data" ? await dataPictures(services, subject.data) : await changedPictures(subject.directory);
    const { base, files, ...rest } = shown;
    session.files = files;
    show({ status: "ready", ...rest, base: host.uri(base), areFiles: files.length > 0 });
    return session.state;
  } catch (thrown) {
    services.log.error(thrown instanceof Error ? thrown : String(thrown));
    show({ status: "failed", error: panelError(thrown) });
    return undefined;
  }
}

async function answer(session: Session, intent: OwnIntent<PreviewIntent>): Promise<void> {
  switch (intent.kind) {
    case "again":
      await session.read();
      return;
    case "evaluate":
      if (session.subject.kind === "data")
        await vscode.commands.executeCommand(commands.evaluateModel, undefined, { spec: session.subject.data.spec });
      return;
    case "open":
    case "attack": {
      const file = session.files[intent.item];
      if (file === undefined) return;
      await vscode.commands.executeCommand(intent.kind === "open" ? "vscode.open" : commands.attackThisImage, vscode.Uri.file(file));
    }
  }
}
