import path from "node:path";
import * as vscode from "vscode";
import { type CardId, type CardParams, type CardResult, cardIds } from "../../../shared/cards.ts";
import { commands } from "../../../shared/contributions.ts";
import { isCancelled } from "../../../shared/errors.ts";
import { inspectorIntents } from "../../../shared/intents.ts";
import type { InspectorIntent, InspectorState, InspectorUpdate } from "../../../shared/panels.ts";
import type { AttackImageResult } from "../../../shared/protocol.ts";
import { runsFolder } from "../../../shared/runs.ts";
import { chooseModel as knownModel, rememberAttack } from "../../choose.ts";
import type { Services } from "../../services.ts";
import { resultFolders, rootFolder } from "../../workspace.ts";
import { definePanel, type OwnIntent } from "../panel.ts";
import { attack, dismiss } from "./attack.ts";
import { chooseAttack, chooseModel } from "./chooseParts.ts";
import { chooseClassList } from "./classList.ts";
import { editOf, probeOf } from "./contract.ts";
import { exportInspector } from "./export.ts";
import { type CardRecord, type InspectorRequest, type Kept, readKept, readRequest } from "./file.ts";
import { setFit } from "./fit.ts";
import { chooseLabel } from "./label.ts";
import { applyRemedy, inspectorError } from "./remedies.ts";
import { answerKey, cancelCard, runCard } from "./runCard.ts";
import { enter, firstState, type InspectorHost, modelLabel, newSession, requestOf, type Session, set } from "./session.ts";

export interface Inspector {
  readonly panel: vscode.WebviewPanel;
  readonly state: InspectorState;
  readonly directory: string;
  /**
   * Attacks the image; a request under way is cancelled first. Undefined when it failed (the panel says why), was cancelled, or waits with
   * its estimate for a person to start it; `isStarted` is for an attack that was named just now, and not taken from an old choice.
   */
  attack(request: InspectorRequest, isStarted?: boolean): Promise<AttackImageResult | undefined>;
  /** Asks for a card of what is on show. Undefined when it failed (the card says why) or was cancelled. */
  card<K extends CardId>(id: K, params: CardParams<K>): Promise<CardResult<K> | undefined>;
  /** Shows the image without an attack; what is on show of the same model stays. */
  look(request: InspectorRequest): void;
  /** Shows what a run folder holds, without computing. */
  restore(directory: string, request: InspectorRequest, kept: Kept): void;
  /** Says in a card why nothing is attacked, with the ways out. */
  fail(thrown: unknown): void;
  answer(intent: OwnIntent<InspectorIntent>): Promise<void>;
  /** Applies a way out of an error that is the Inspector's own; false for any other. */
  fix(id: string): Promise<boolean>;
  /** Cards at work end. A later one gets a run folder of its own. */
  leave(): void;
  stop(): void;
}

/** What a panel is opened with: a request, and where it comes back after a reload, what its run folder has. */
export type InspectorSubject = InspectorRequest & {
  readonly kept?: Kept & { readonly directory: string };
  /** Nothing is about to be attacked. */
  readonly isIdle?: boolean;
};

/** One image, one model, and an attack if there was one. Opening it computes nothing. */
export const inspectorPanel = definePanel<InspectorSubject, InspectorState, InspectorUpdate, InspectorIntent, Inspector>({
  name: "inspector",
  intents: inspectorIntents,
  looks: ["cancel", "cancelCard", "dismiss", "export"],
  key: ({ image }) => image,
  title: ({ image }) => `Inspector: ${path.basename(image)}`,
  // Attacks make run folders while the panel is open, and a new root would load its page anew.
  roots: ({ image }) => [path.dirname(image), ...resultFolders().map((root) => path.join(root, runsFolder))],
  // Where the other inspectors are, else beside the editor: a second split would leave each of them too narrow.
  column: (open) => open.map(({ viewColumn }) => viewColumn).find((column) => column !== undefined) ?? vscode.ViewColumn.Beside,
  keepsFocus: true,
  async read(directory) {
    const request = await readRequest(directory);
    return request && { ...request, kept: { directory, ...(await readKept(directory)) } };
  },
  start,
  answer: (inspector, intent) => inspector.answer(intent),
  errors: ({ state }) => [state.error, ...Object.values(state.cards).map(({ error }) => error)],
  fix: (inspector, id) => inspector.fix(id),
  directory: ({ directory }) => directory,
  leave: (inspector) => inspector.leave(),
  stop: (inspector) => inspector.stop(),
});

function start(host: InspectorHost, services: Services, { kept, isIdle, ...request }: InspectorSubject): Inspector {
  const session = newSession(services, host, request, isIdle ? "idle" : "running");
  if (kept) restore(session, kept.directory, request, kept);
  else host.show(session.state);
  return {
    panel: host.panel,
    get state() {
      return session.state;
    },
    get directory() {
      return session.directory;
    },
    attack: (next, isStarted) => attack(session, next, isStarted),
    card: (id, params) => runCard(session, id, params),
    look: (next) => look(session, next),
    restore: (directory, asked, found) => restore(session, directory, asked, found),
    fail: (thrown) => fail(session, thrown),
    answer: (intent) => answer(session, intent),
    fix: (id) => applyRemedy(session, id),
    leave: () => leave(session),
    stop: () => enter(session, ""),
  };
}

/** A choice that was given up is no error: the panel offers it again. */
function fail(session: Session, thrown: unknown): void {
  set(session, isCancelled(thrown) ? { status: "idle" } : { status: "failed", error: inspectorError(thrown) });
}

function look(session: Session, request: InspectorRequest): void {
  const { model, status } = session.state;
  if (model.path === request.model && status !== "running") return;
  enter(session, "");
  set(session, { ...firstState(session.services, session.host, request, ""), status: "idle" });
}

function leave(session: Session): void {
  enter(session, "");
  const ended = Object.entries(session.state.cards).map(([id, card]) => [
    id,
    card.status === "running" ? { ...card, status: "cancelled" as const } : card,
  ]);
  set(session, { cards: Object.fromEntries(ended) as InspectorState["cards"] });
}

function restore(session: Session, directory: string, request: InspectorRequest, { result, cards }: Kept): void {
  enter(session, directory);
  for (const id of cardIds) keepRecord(session, id, cards[id]);
  const shown = Object.entries(cards).map(([id, record]) => [id, { status: "done", ...record, error: null }] as const);
  set(session, {
    ...firstState(session.services, session.host, request, directory),
    status: result ? "done" : shown.length > 0 ? "idle" : "cancelled",
    result: result ?? null,
    trace: result?.trace ?? [],
    cards: Object.fromEntries(shown) as InspectorState["cards"],
  });
}

function keepRecord<K extends CardId>({ answers }: Session, id: K, record: CardRecord<K> | undefined): void {
  if (record) answers.set(answerKey(id, record.params), record);
}

/** Slices can be ranked without a model; for everything else one is chosen now. @throws FILE_NOT_FOUND when there is none */
async function requireModel(session: Session): Promise<void> {
  if (session.state.model.path !== "") return;
  const model = await knownModel(session.services, { ask: false });
  set(session, { model: modelLabel(model) });
}

/** The same, where there is none said in the panel. */
async function requireModelOrSay(session: Session): Promise<void> {
  try {
    await requireModel(session);
  } catch (thrown) {
    fail(session, thrown);
  }
}

/** Clean images are named by a person or as they were before: a webview names none. */
function isOnShow({ state }: Session, intent: Extract<InspectorIntent, { readonly kind: "card" }>): boolean {
  const data = intent.id === "calibration" ? intent.params.data : null;
  return data === null || data === state.cards.calibration?.params.data;
}

async function answer(session: Session, intent: OwnIntent<InspectorIntent>): Promise<void> {
  const { services, state, image } = session;
  switch (intent.kind) {
    case "rerun":
      await requireModelOrSay(session);
      if (session.state.model.path === "") return;
      rememberAttack(services, intent.attack, session.state.model.path);
      await attack(session, { ...requestOf(session), attack: intent.attack, defenses: intent.defenses });
      return;
    case "cancel":
      return session.attack.abort();
    case "start":
      await attack(session, requestOf(session), true);
      return;
    case "dismiss":
      dismiss(session);
      return;
    case "chooseClasses":
      await requireModelOrSay(session);
      if (session.state.model.path !== "") await chooseClassList(session);
      return;
    case "editContract":
      await editOf(session);
      return;
    case "probeContract":
      await probeOf(session);
      return;
    case "chooseModel":
      await chooseModel(session);
      return;
    case "chooseAttack":
      await requireModelOrSay(session);
      if (session.state.model.path !== "") await chooseAttack(session);
      return;
    case "chooseLabel":
      await requireModel(session);
      await chooseLabel(session);
      return;
    case "fit":
      await setFit(session, intent.rule);
      return;
    case "card":
      if (!isOnShow(session, intent)) return;
      if (intent.id !== "ranking") await requireModel(session);
      await runCard(session, intent.id, intent.params);
      return;
    case "cancelCard":
      cancelCard(session, intent.id);
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
