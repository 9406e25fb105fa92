import { rm } from "node:fs/promises";
import path from "node:path";
import type { CardId, CardParams, CardProgress, CardResult, CardState } from "../../../shared/cards.ts";
import { settings } from "../../../shared/contributions.ts";
import { isCancelled } from "../../../shared/errors.ts";
import type { SentPicture } from "../../../shared/panels.ts";
import { readInside } from "../../files.ts";
import { newRunDirectory } from "../../runFolder.ts";
import { requireTrust, rootFolder, setting } from "../../workspace.ts";
import { type CardTask, cards } from "./cards/index.ts";
import { type CardRecord, type CardRecords, writeCards, writeRequest } from "./file.ts";
import { inspectorError } from "./remedies.ts";
import { requestOf, type Session, set, setCard } from "./session.ts";

/** Answers that are kept of all cards together; their pictures are small. */
const mostAnswers = 100;
/** Milliseconds. */
const untold = 300;

/**
 * Asks the engine for a card. A newer request of the same card cancels the one under way; other cards and the attack go on.
 * Undefined when it failed (the card says why) or was cancelled.
 */
export async function runCard<K extends CardId>(session: Session, id: K, params: CardParams<K>): Promise<CardResult<K> | undefined> {
  session.cards.get(id)?.abort();
  const abort = new AbortController();
  session.cards.set(id, abort);
  const isNewest = (): boolean => session.cards.get(id) === abort;
  const show = (change: Omit<CardState<K>, "params"> & Partial<Pick<CardState<K>, "params">>, pictures?: readonly SentPicture[]): void =>
    setCard(session, id, { params, ...change }, pictures);
  if (cards[id].isEmpty?.(params)) {
    show({ status: "done", result: null, error: null });
    await remember(session);
    return undefined;
  }
  const known = cards[id].isOpen?.(params) ? undefined : (session.answers.get(answerKey(id, params)) as CardRecord<K> | undefined);
  const before = session.state.cards[id]?.result ?? null;
  if (known) {
    show({ status: "done", ...known, params: { ...known.params, ...readingOf(id, params) }, error: null });
    await remember(session);
    return known.result;
  }
  // A quick answer replaces the old one directly. The line "Applying…" would appear for a moment and shift everything below it.
  let isTold = false;
  const showRunning = (progress?: CardProgress): void =>
    show({ status: "running", result: before, error: null, ...(progress ? { progress } : {}) });
  const telling = setTimeout(
    () => {
      isTold = true;
      showRunning();
    },
    before ? untold : 0,
  );
  const tell = (progress: CardProgress): void => {
    if (isTold && isNewest() && !abort.signal.aborted) showRunning(progress);
  };
  abort.signal.addEventListener("abort", () => clearTimeout(telling));
  try {
    requireTrust();
    const answer = await inTurn(session, () => ask(session, id, { params, signal: abort.signal, tell }));
    const pictures = await readPictures(session, cards[id].pictures(answer.result));
    if (!isNewest()) return undefined;
    keep(session, answerKey(id, cards[id].isOpen?.(params) ? answer.params : params), answer);
    show({ status: "done", ...answer, error: null }, pictures);
    await remember(session);
    return answer.result;
  } catch (thrown) {
    if (!isNewest()) return undefined;
    const cancelled = isCancelled(thrown);
    if (!cancelled) session.services.log.error(thrown instanceof Error ? thrown : String(thrown));
    show({ status: cancelled ? "cancelled" : "failed", result: before, error: cancelled ? null : inspectorError(thrown, id) });
    return undefined;
  } finally {
    clearTimeout(telling);
  }
}

/** What an answer is found by: parameters without those that only say how it is read. */
export function answerKey<K extends CardId>(id: K, params: CardParams<K>): string {
  const { readBy } = cards[id];
  return JSON.stringify([id, readBy ? Object.entries(params).filter(([name]) => !isReading(readBy, name)) : params]);
}
const readingOf = <K extends CardId>(id: K, params: CardParams<K>): Partial<CardParams<K>> =>
  Object.fromEntries(Object.entries(params).filter(([name]) => isReading(cards[id].readBy ?? [], name))) as Partial<CardParams<K>>;
const isReading = (readBy: readonly PropertyKey[], name: string): boolean => readBy.includes(name);

/** An answer that still holds, of the images that were on show before. */
export async function carryCard<K extends CardId>(session: Session, id: K, record: CardRecord<K>): Promise<void> {
  keep(session, answerKey(id, record.params), record);
  setCard(session, id, { status: "done", ...record, error: null });
  await remember(session);
}

/**
 * Those that the panel has not been sent yet. One that cannot be read, or that the panel has no longer, is asked for by its address, as
 * after a reload.
 */
async function readPictures(session: Session, files: readonly string[]): Promise<SentPicture[]> {
  const read = async (file: string): Promise<SentPicture[]> => {
    const url = `${session.state.base}/${file}`;
    if (session.sent.has(url)) return [];
    const png = await readInside(session.directory, file);
    if (png === null) return [];
    session.sent.add(url);
    return [{ url, data: `data:image/png;base64,${png.toString("base64")}` }];
  };
  return (await Promise.all(files.map(read))).flat();
}

/** Where there is no run folder yet, one card makes it and the others wait. */
async function inTurn<R>(session: Session, work: () => Promise<R>): Promise<R> {
  while (session.directory === "" && session.first) await session.first;
  if (session.directory !== "") return work();
  const making = work();
  const settled = making.then(
    () => undefined,
    () => undefined,
  );
  session.first = settled;
  await settled;
  session.first = undefined;
  return making;
}

async function ask<K extends CardId>(
  session: Session,
  id: K,
  asked: Pick<CardTask<K>, "params" | "signal" | "tell">,
): Promise<CardRecord<K>> {
  const { services, image, state, directory } = session;
  const run = directory === "" ? newRunDirectory(rootFolder(image), `${id} ${path.basename(image)}`) : directory;
  const folder = directory === "" ? "" : `cards/${id}-${++session.count}`;
  try {
    const seed = setting(settings.seed, 1);
    const inspected = { image, model: state.model.path, defenses: state.defenses, fit: state.fit, seed, run, iteration: null, folder };
    const answer = await cards[id].ask({ services, inspected, attacked: state.result, ...asked });
    if (directory === "" && session.directory === "") {
      session.directory = run;
      await writeRequest(run, requestOf(session));
      const status = session.state.status === "running" ? "idle" : session.state.status;
      set(session, { base: session.host.uri(run), runId: path.basename(run), status });
      services.runs.refresh();
    }
    return answer;
  } catch (thrown) {
    await rm(folder === "" ? run : path.join(run, folder), { recursive: true, force: true });
    throw thrown;
  }
}

function keep(session: Session, key: string, answer: CardRecord): void {
  session.answers.set(key, answer);
  const [oldest] = session.answers.keys();
  if (oldest !== undefined && session.answers.size > mostAnswers) session.answers.delete(oldest);
}

/** Writes down what is on show, so that the panel comes back after a reload. */
async function remember(session: Session): Promise<void> {
  const shown = Object.entries(session.state.cards).flatMap(([id, card]) =>
    card.status === "done" && card.result ? [[id, { params: card.params, result: card.result }] as const] : [],
  );
  if (session.directory !== "") await writeCards(session.directory, Object.fromEntries(shown) as CardRecords);
}

export function cancelCard(session: Session, id: CardId): void {
  session.cards.get(id)?.abort();
}
