import { rm } from "node:fs/promises";
import path from "node:path";
import { type CardId, type CardParams, type CardState, type CardStates, cardIds } from "../../../shared/cards.ts";
import { settings } from "../../../shared/contributions.ts";
import { isCancelled } from "../../../shared/errors.ts";
import type { InspectorState } from "../../../shared/panels.ts";
import { type AttackImageResult, type AttackImageUpdate, attackImageProgress, requests } from "../../../shared/protocol.ts";
import { dropEmpty, newRunDirectory } from "../../runFolder.ts";
import { requireTrust, rootFolder, setting } from "../../workspace.ts";
import { cards } from "./cards/index.ts";
import { type InspectorRequest, writeRequest } from "./file.ts";
import { inspectorError } from "./remedies.ts";
import { carryCard, runCard } from "./runCard.ts";
import { enter, firstState, type Session, set } from "./session.ts";

/** Where the model looks is shown without being asked for. */
const usualCards: Partial<{ [K in CardId]: CardParams<K> }> = {
  attention: { explanation: null, iteration: null },
};

/** An attack that takes longer, in seconds, is only started by a person who has seen how long. */
const patience = 10;

/**
 * Attacks the image; a request under way is cancelled first. Undefined when it failed (the panel says why), was cancelled, or waits for a
 * person to start it (`isStarted` is that start).
 */
export async function attack(session: Session, request: InspectorRequest, isStarted = false): Promise<AttackImageResult | undefined> {
  const { services, host } = session;
  const before = session.state;
  const shelved = shelvedOf(session);
  session.shelved = null;
  enter(session, "");
  const abort = new AbortController();
  session.attack = abort;
  let directory = "";
  try {
    requireTrust();
    set(session, firstState(services, host, request, ""));
    const estimate = await estimateOf(session, request, abort.signal);
    if (session.attack !== abort) return undefined;
    if (estimate.seconds > patience && !isStarted) {
      session.shelved = shelved;
      set(session, { status: "asked", estimate });
      return undefined;
    }
    directory = newRunDirectory(rootFolder(request.image), `${request.attack.id} ${path.basename(request.image)}`);
    session.directory = directory;
    set(session, { ...firstState(services, host, request, directory), estimate });
    const result = await requestAttack(session, request, abort.signal);
    await writeRequest(directory, request);
    if (session.attack === abort) {
      set(session, { status: "done", result, trace: result.trace, progress: null, attack: result.attack });
      askAgain(session, before);
    }
    services.runs.refresh();
    return result;
  } catch (thrown) {
    if (session.attack !== abort) {
      // A newer request has taken over: what the old one left is of no use to anybody.
      if (directory !== "") await rm(directory, { recursive: true, force: true });
      services.runs.refresh();
      return undefined;
    }
    if (directory !== "" && (await dropEmpty(directory))) session.directory = "";
    services.runs.refresh();
    const failed = !isCancelled(thrown);
    if (failed) services.log.error(thrown instanceof Error ? thrown : String(thrown));
    set(session, { status: failed ? "failed" : "cancelled", error: failed ? inspectorError(thrown) : null, progress: null });
    return undefined;
  }
}

/** What is on show, anew for another request: the attack, or where there was none the cards. */
export async function redo(session: Session, request: InspectorRequest): Promise<void> {
  const before = session.state;
  if (before.status !== "idle") {
    await attack(session, request);
    return;
  }
  enter(session, "");
  set(session, { ...firstState(session.services, session.host, request, ""), status: "idle" });
  askAgain(session, before);
}

/** An attack that waits with its estimate is given up: what was on show before it comes back. */
export function dismiss(session: Session): void {
  if (session.state.status !== "asked") return;
  const { shelved } = session;
  if (!shelved) {
    set(session, { status: "idle", estimate: null });
    return;
  }
  enter(session, shelved.directory);
  set(session, { ...shelved.state, cards: settled(shelved.state.cards) });
}

/** What comes back when an attack is given up before it starts: what is on show, or was before another one that waits. */
function shelvedOf({ state, directory, shelved }: Session): Session["shelved"] {
  if (state.status === "asked") return shelved;
  return state.result || Object.keys(state.cards).length > 0 ? { state, directory } : null;
}

/** What was under way when it was shelved has ended. */
const settled = (shown: CardStates): CardStates =>
  Object.fromEntries(
    Object.entries(shown).map(([id, card]) => [id, card.status === "running" ? { ...card, status: "cancelled" } : card]),
  ) as CardStates;

/** The cards that were on show, of the new images. */
export function askAgain(session: Session, before: InspectorState): void {
  const again = <K extends CardId>(id: K): void => {
    const card: CardState<K> | undefined = before.cards[id];
    if (card?.result && cards[id].isOfModel && isSameModel(before, session.state)) {
      void carryCard(session, id, { params: card.params, result: card.result });
      return;
    }
    const params = card?.params ?? usualCards[id];
    const next = params && cards[id].again(params);
    if (next) void runCard(session, id, next);
  };
  for (const id of cardIds) again(id);
}

const isSameModel = (a: InspectorState, b: InspectorState): boolean =>
  a.model.path === b.model.path && JSON.stringify(a.defenses) === JSON.stringify(b.defenses);

const estimateOf = (session: Session, { model, attack: chosen, defenses }: InspectorRequest, signal: AbortSignal) =>
  session.services.engine.request(requests.estimateAttack, { model, attack: chosen, defenses }, signal);

async function requestAttack(session: Session, request: InspectorRequest, signal: AbortSignal): Promise<AttackImageResult> {
  const engine = await session.services.engine.get();
  const { directory } = session;
  const { label, ...asked } = { ...request, fit: session.state.fit };
  session.begun = performance.now();
  const listener = engine.onProgress(attackImageProgress, directory, (update) => {
    if (session.directory === directory) stream(session, update);
  });
  try {
    return await session.services.engine.request(
      requests.attackImage,
      { ...asked, ...(label ? { label: label.index } : {}), seed: setting(settings.seed, 1), directory, token: directory },
      signal,
    );
  } finally {
    listener.dispose();
  }
}

/** By the pace since the attack began; null before there is one. */
function secondsLeft({ begun }: Session, done: number, total: number): number | null {
  const seconds = (performance.now() - begun) / 1000;
  return done > 0 && done < total && seconds > 1 ? (seconds / done) * (total - done) : null;
}

function stream(session: Session, update: AttackImageUpdate): void {
  const { state, host } = session;
  if (update.kind === "clean") {
    const clean = { size: update.size, image: update.image, prediction: update.prediction };
    session.state = { ...state, clean };
    host.update({ kind: "clean", clean }, session.state);
  } else {
    const { done, total, point } = update;
    const left = secondsLeft(session, done, total);
    const progress = { done, total, ...(left === null ? {} : { secondsLeft: left }) };
    session.state = { ...state, progress, trace: [...state.trace, point] };
    host.update({ kind: "iteration", ...progress, point }, session.state);
  }
}
