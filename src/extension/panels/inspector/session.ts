import path from "node:path";
import type { CardId, CardState } from "../../../shared/cards.ts";
import type { InspectorState, InspectorUpdate, SentPicture } from "../../../shared/panels.ts";
import { fitOf } from "../../choose.ts";
import type { Services } from "../../services.ts";
import { shortPath } from "../../workspace.ts";
import type { PanelHost } from "../host.ts";
import type { CardRecord, InspectorRequest } from "./file.ts";

export type InspectorHost = PanelHost<InspectorState, InspectorUpdate>;

/** One open inspector: what it shows, where that lies, and what is under way. */
export interface Session {
  readonly services: Services;
  readonly image: string;
  readonly host: InspectorHost;
  state: InspectorState;
  /** Run folder of what is shown; empty before anything was computed. */
  directory: string;
  attack: AbortController;
  /** What was on show before an attack that waits with its estimate. */
  shelved: { readonly state: InspectorState; readonly directory: string } | null;
  /** When the attack was handed to the engine, in milliseconds. */
  begun: number;
  readonly cards: Map<CardId, AbortController>;
  /** Answers of this run folder by request: going back to one computes nothing. */
  readonly answers: Map<string, CardRecord>;
  /** The first card of an image that nobody attacked makes the run folder; others wait for it. */
  first: Promise<unknown> | undefined;
  /** Addresses of pictures that have travelled to the panel with an answer. */
  readonly sent: Set<string>;
  /** Numbers the folders of cards: a webview would show its cached pictures otherwise. */
  count: number;
}

export function newSession(services: Services, host: InspectorHost, request: InspectorRequest, status: InspectorState["status"]): Session {
  const state = firstState(services, host, request, "");
  return {
    services,
    image: request.image,
    host,
    state: { ...state, status },
    directory: "",
    attack: new AbortController(),
    shelved: null,
    begun: 0,
    cards: new Map(),
    answers: new Map(),
    first: undefined,
    sent: new Set(),
    count: Date.now() % 1e9,
  };
}

export function firstState(services: Services, host: InspectorHost, request: InspectorRequest, directory: string): InspectorState {
  return {
    status: "running",
    title: path.basename(request.image),
    imageUri: host.uri(request.image),
    model: modelLabel(request.model),
    attack: request.attack,
    defenses: request.defenses,
    label: request.label ?? null,
    fit: request.fit === undefined ? fitOf(services, request.model) : request.fit,
    catalog: services.catalog.current,
    base: directory === "" ? "" : host.uri(directory),
    runId: path.basename(directory),
    clean: null,
    estimate: null,
    progress: null,
    trace: [],
    result: null,
    cards: {},
    error: null,
  };
}

export const modelLabel = (model: string): InspectorState["model"] => ({
  path: model,
  label: model === "" ? "" : shortPath(path.dirname(model)),
});

/** Shows the whole state. */
export function set(session: Session, change: Partial<InspectorState>): void {
  session.state = { ...session.state, ...change };
  session.host.show(session.state);
}

/** Shows one card, and nothing else. */
export function setCard(session: Session, id: CardId, card: CardState, pictures: readonly SentPicture[] = []): void {
  session.state = { ...session.state, cards: { ...session.state.cards, [id]: card } };
  session.host.update({ kind: "card", id, card }, session.state, pictures);
}

/** Starts over in another run folder, or in none: what was under way ends, and no card has an answer. */
export function enter(session: Session, directory: string): void {
  session.attack.abort();
  for (const abort of session.cards.values()) abort.abort();
  session.cards.clear();
  session.answers.clear();
  session.first = undefined;
  session.directory = directory;
}

export const requestOf = ({ image, state }: Session): InspectorRequest => ({
  image,
  model: state.model.path,
  attack: state.attack,
  defenses: state.defenses,
  label: state.label,
  fit: state.fit,
});
