import { rm } from "node:fs/promises";
import path from "node:path";
import * as vscode from "vscode";
import { commands, panels, settings } from "../../shared/contributions.ts";
import { isCancelled } from "../../shared/errors.ts";
import type { InspectorIntent, InspectorState, InspectorUpdate } from "../../shared/panels.ts";
import {
  type AttackImageResult,
  type AttackImageUpdate,
  attackImageProgress,
  type RankPatchesResult,
  requests,
} from "../../shared/protocol.ts";
import { rememberAttack } from "../choose.ts";
import { applyFix, panelError } from "../messages.ts";
import { dropEmpty, newRunDirectory } from "../runFolder.ts";
import type { Services } from "../services.ts";
import { requireTrust, rootFolder, setting, shortPath } from "../workspace.ts";
import { wakeHidden } from "./hidden.ts";
import { hostPanel, type PanelHost, saveDataUrl, webviewUri } from "./host.ts";
import { exportInspector } from "./inspectorExport.ts";
import { type InspectorRequest, type Kept, writeRequest } from "./inspectorFile.ts";
import { dropRanking, type RankingWish, rankInto } from "./ranking.ts";

export interface Inspector {
  readonly panel: vscode.WebviewPanel;
  readonly state: InspectorState;
  /** Attacks the image; a request under way is cancelled first. Undefined when it failed (the panel says why) or was cancelled. */
  attack(request: InspectorRequest): Promise<AttackImageResult | undefined>;
  rank(wish: RankingWish): Promise<RankPatchesResult | undefined>;
  /** Shows what a run folder holds, without computing. */
  restore(directory: string, request: InspectorRequest, kept: Kept): void;
}

interface Session {
  readonly services: Services;
  readonly image: string;
  readonly host: PanelHost<InspectorState, InspectorUpdate>;
  state: InspectorState;
  directory: string;
  abort: AbortController;
}

/** Where the other inspectors are, else beside the editor: a second split would leave each of them too narrow. */
const columnOf = (services: Services): vscode.ViewColumn =>
  [...services.inspectors.values()].map(({ panel }) => panel.viewColumn).find((column) => column !== undefined) ?? vscode.ViewColumn.Beside;

/** The inspector of an image: the one that is open, or a new one beside the editor. Cheap: nothing is computed. */
export function openInspector(services: Services, request: InspectorRequest): Inspector {
  const open = services.inspectors.get(request.image);
  if (open) {
    open.panel.reveal(open.panel.viewColumn ?? columnOf(services), true);
    return open;
  }
  const title = `Inspector: ${path.basename(request.image)}`;
  const panel = vscode.window.createWebviewPanel(panels.inspector, title, { viewColumn: columnOf(services), preserveFocus: true });
  return attachInspector(services, panel, request);
}

/** An inspector that was restored behind another tab, and that nobody has looked at yet, is the inspector of its image all the same. */
export const wakeInspector = (services: Services, image: string): Promise<void> =>
  wakeHidden({
    viewType: panels.inspector,
    title: `Inspector: ${path.basename(image)}`,
    isThere: () => services.inspectors.has(image),
    known: () => services.inspectors.size,
  });

/** Makes a panel (new, or restored after a reload) the inspector of an image. */
export function attachInspector(services: Services, panel: vscode.WebviewPanel, request: InspectorRequest): Inspector {
  const host = hostPanel<InspectorState, InspectorUpdate, InspectorIntent>(panel, {
    extensionUri: services.context.extensionUri,
    name: "inspector",
    roots: [path.dirname(request.image)],
    onIntent: (intent) => void answer(session, inspector, intent),
    onClose: () => {
      session.abort.abort();
      if (services.inspectors.get(request.image) === inspector) services.inspectors.delete(request.image);
    },
  });
  const session: Session = {
    services,
    image: request.image,
    host,
    state: firstState(services, panel, request, ""),
    directory: "",
    abort: new AbortController(),
  };
  const inspector: Inspector = {
    panel,
    get state() {
      return session.state;
    },
    attack: (next) => attack(session, next),
    rank: (chosen) => rank(session, chosen),
    restore: (directory, asked, { result, ranking }) => {
      session.directory = directory;
      session.state = {
        ...firstState(services, panel, asked, directory),
        status: result || ranking ? "done" : "cancelled",
        result: result ?? null,
        trace: result?.trace ?? [],
        ranking: ranking ? { ...ranking, status: "done", error: null } : null,
      };
      host.show(session.state);
    },
  };
  services.inspectors.set(request.image, inspector);
  host.show(session.state);
  return inspector;
}

function firstState(services: Services, panel: vscode.WebviewPanel, request: InspectorRequest, directory: string): InspectorState {
  return {
    status: "running",
    title: path.basename(request.image),
    imageUri: webviewUri(panel, request.image),
    model: { path: request.model, label: request.model === "" ? "no model" : shortPath(path.dirname(request.model)) },
    attack: request.attack,
    explanation: request.explanation,
    catalog: services.catalog,
    base: directory === "" ? "" : webviewUri(panel, directory),
    runId: path.basename(directory),
    clean: null,
    progress: null,
    trace: [],
    result: null,
    ranking: null,
    error: null,
  };
}

async function attack(session: Session, request: InspectorRequest): Promise<AttackImageResult | undefined> {
  const { services, host } = session;
  session.abort.abort();
  const abort = new AbortController();
  session.abort = abort;
  const set = (change: Partial<InspectorState>): void => {
    session.state = { ...session.state, ...change };
    host.show(session.state);
  };
  let directory = "";
  try {
    requireTrust();
    directory = newRunDirectory(rootFolder(request.image), `${request.attack.id} ${path.basename(request.image)}`);
    session.directory = directory;
    session.state = { ...firstState(services, host.panel, request, directory), ranking: null };
    host.show(session.state);
    const result = await requestAttack(session, request, abort.signal);
    await writeRequest(directory, request);
    if (session.abort === abort) set({ status: "done", result, trace: result.trace, progress: null, attack: result.attack });
    services.runs.refresh();
    return result;
  } catch (thrown) {
    if (session.abort !== abort) {
      // A newer request has taken over: what the old one left is of no use to anybody.
      if (directory !== "") await rm(directory, { recursive: true, force: true });
      services.runs.refresh();
      return undefined;
    }
    if (directory !== "") await dropEmpty(directory);
    services.runs.refresh();
    const failed = !isCancelled(thrown);
    if (failed) services.log.error(thrown instanceof Error ? thrown : String(thrown));
    set({ status: failed ? "failed" : "cancelled", error: failed ? panelError(thrown) : null, progress: null });
    return undefined;
  }
}

async function requestAttack(session: Session, request: InspectorRequest, signal: AbortSignal): Promise<AttackImageResult> {
  const engine = await session.services.engine.get();
  const { directory } = session;
  const listener = engine.onProgress(attackImageProgress, directory, (update) => {
    if (session.directory === directory) stream(session, update);
  });
  try {
    return await session.services.engine.request(
      requests.attackImage,
      { ...request, seed: setting(settings.seed, 1), directory, token: directory },
      signal,
    );
  } finally {
    listener.dispose();
  }
}

function stream(session: Session, update: AttackImageUpdate): void {
  const { state, host } = session;
  if (update.kind === "clean") {
    const clean = { size: update.size, image: update.image, prediction: update.prediction };
    session.state = { ...state, clean };
    host.update({ kind: "clean", clean }, session.state);
  } else {
    session.state = { ...state, progress: { done: update.done, total: update.total }, trace: [...state.trace, update.point] };
    host.update({ kind: "iteration", done: update.done, total: update.total, point: update.point }, session.state);
  }
}

async function rank(session: Session, chosen: RankingWish): Promise<RankPatchesResult | undefined> {
  const set = (change: Pick<InspectorState, "ranking"> & Partial<InspectorState>): void => {
    session.state = { ...session.state, ...change };
    session.host.show(session.state);
  };
  const before = session.state.ranking;
  const settings = { ...chosen, patch: chosen.patch === "auto" ? (before?.settings.patch ?? 7) : chosen.patch };
  set({ ranking: { status: "running", settings, result: before?.result ?? null, error: null } });
  const { image, state, services, directory: from } = session;
  try {
    const ranked = await rankInto(services, { image, directory: from, result: state.result, chosen });
    if (session.directory !== from) return ranked.result; // another attack has taken the panel over
    session.directory = ranked.directory;
    if (from === "")
      await writeRequest(ranked.directory, { image, model: state.model.path, attack: state.attack, explanation: state.explanation });
    const place = { base: webviewUri(session.host.panel, ranked.directory), runId: path.basename(ranked.directory) };
    const now = session.state;
    const status = now.result || now.status !== "running" ? now.status : "done";
    set({ ...place, status, ranking: { status: "done", settings: ranked.settings, result: ranked.result, error: null } });
    await dropRanking(ranked.directory, before?.result);
    return ranked.result;
  } catch (thrown) {
    if (session.directory !== from) return undefined;
    const status = session.state.result ? session.state.status : "failed";
    set({ status, ranking: { status: "failed", settings, result: null, error: panelError(thrown) } });
    return undefined;
  }
}

async function answer(session: Session, inspector: Inspector, intent: InspectorIntent): Promise<void> {
  const { services, state, image } = session;
  switch (intent.kind) {
    case "rerun":
      rememberAttack(services, intent.attack);
      await inspector.attack({ image, model: state.model.path, attack: intent.attack, explanation: intent.explanation });
      return;
    case "cancel":
      session.abort.abort();
      return;
    case "rank":
      await inspector.rank(intent.settings);
      return;
    case "openPatchStudio":
      await vscode.commands.executeCommand(commands.openPatchStudio, vscode.Uri.file(image), { model: state.model.path });
      return;
    case "export":
      await exportInspector(
        services,
        { directory: session.directory, title: state.title, result: state.result, root: rootFolder(image) },
        intent,
      );
      return;
    case "save":
      await saveDataUrl(rootFolder(image), intent.name, intent.dataUrl);
      return;
    case "fix":
      await applyFix(state.error ?? state.ranking?.error ?? null, intent.id);
      return;
    case "showLog":
      services.log.show(true);
  }
}
