import { rm } from "node:fs/promises";
import path from "node:path";
import * as vscode from "vscode";
import { commands, settings } from "../../shared/contributions.ts";
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
import { panelError } from "../messages.ts";
import { dropEmpty, newRunDirectory } from "../runFolder.ts";
import type { Services } from "../services.ts";
import { requireTrust, rootFolder, setting, shortPath } from "../workspace.ts";
import type { PanelHost } from "./host.ts";
import { exportInspector } from "./inspectorExport.ts";
import { type InspectorRequest, type Kept, readKept, readRequest, writeRequest } from "./inspectorFile.ts";
import { definePanel, type OwnIntent } from "./panel.ts";
import { dropRanking, type RankingWish, rankInto } from "./ranking.ts";

export interface Inspector {
  readonly panel: vscode.WebviewPanel;
  readonly state: InspectorState;
  readonly directory: string;
  /** Attacks the image; a request under way is cancelled first. Undefined when it failed (the panel says why) or was cancelled. */
  attack(request: InspectorRequest): Promise<AttackImageResult | undefined>;
  rank(wish: RankingWish): Promise<RankPatchesResult | undefined>;
  /** Shows what a run folder holds, without computing. */
  restore(directory: string, request: InspectorRequest, kept: Kept): void;
  answer(intent: OwnIntent<InspectorIntent>): Promise<void>;
  stop(): void;
}

interface Session {
  readonly services: Services;
  readonly image: string;
  readonly host: PanelHost<InspectorState, InspectorUpdate>;
  state: InspectorState;
  directory: string;
  abort: AbortController;
}

/** What a panel is opened with: a request, and where it comes back after a reload, what its run folder has. */
export type InspectorSubject = InspectorRequest & { readonly kept?: Kept & { readonly directory: string } };

/** One image, one model, one attack. The inspector of an image: the one that is open, or a new one. Cheap: nothing is computed. */
export const inspectorPanel = definePanel<InspectorSubject, InspectorState, InspectorUpdate, InspectorIntent, Inspector>({
  name: "inspector",
  key: ({ image }) => image,
  title: ({ image }) => `Inspector: ${path.basename(image)}`,
  roots: ({ image }) => [path.dirname(image)],
  // Where the other inspectors are, else beside the editor: a second split would leave each of them too narrow.
  column: (open) => open.map(({ viewColumn }) => viewColumn).find((column) => column !== undefined) ?? vscode.ViewColumn.Beside,
  keepsFocus: true,
  async read(directory) {
    const request = await readRequest(directory);
    return request && { ...request, kept: { directory, ...(await readKept(directory)) } };
  },
  start,
  answer: (inspector, intent) => inspector.answer(intent),
  errors: ({ state }) => [state.error, state.ranking?.error],
  directory: ({ directory }) => directory,
  stop: (inspector) => inspector.stop(),
});

function start(host: PanelHost<InspectorState, InspectorUpdate>, services: Services, subject: InspectorSubject): Inspector {
  const { kept, ...request } = subject;
  const session: Session = {
    services,
    image: request.image,
    host,
    state: firstState(services, host, request, ""),
    directory: "",
    abort: new AbortController(),
  };
  const inspector: Inspector = {
    panel: host.panel,
    get state() {
      return session.state;
    },
    get directory() {
      return session.directory;
    },
    attack: (next) => attack(session, next),
    rank: (chosen) => rank(session, chosen),
    restore: (directory, asked, found) => restore(session, directory, asked, found),
    answer: (intent) => answer(session, inspector, intent),
    stop: () => session.abort.abort(),
  };
  if (kept) inspector.restore(kept.directory, request, kept);
  else host.show(session.state);
  return inspector;
}

function restore(session: Session, directory: string, asked: InspectorRequest, { result, ranking }: Kept): void {
  session.directory = directory;
  session.state = {
    ...firstState(session.services, session.host, asked, directory),
    status: result || ranking ? "done" : "cancelled",
    result: result ?? null,
    trace: result?.trace ?? [],
    ranking: ranking ? { ...ranking, status: "done", error: null } : null,
  };
  session.host.show(session.state);
}

type Host = PanelHost<InspectorState, InspectorUpdate>;
function firstState(services: Services, host: Host, request: InspectorRequest, directory: string): InspectorState {
  return {
    status: "running",
    title: path.basename(request.image),
    imageUri: host.uri(request.image),
    model: { path: request.model, label: request.model === "" ? "no model" : shortPath(path.dirname(request.model)) },
    attack: request.attack,
    explanation: request.explanation,
    catalog: services.catalog,
    base: directory === "" ? "" : host.uri(directory),
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
    session.state = { ...firstState(services, host, request, directory), ranking: null };
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
    const place = { base: session.host.uri(ranked.directory), runId: path.basename(ranked.directory) };
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

async function answer(session: Session, inspector: Inspector, intent: OwnIntent<InspectorIntent>): Promise<void> {
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
  }
}
