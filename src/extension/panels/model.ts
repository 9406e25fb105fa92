import path from "node:path";
import * as vscode from "vscode";
import { commands } from "../../shared/contributions.ts";
import { toErrorData } from "../../shared/errors.ts";
import { modelIntents } from "../../shared/intents.ts";
import type { ModelIntent, ModelState, ModelUpdate } from "../../shared/pages.ts";
import type { PanelError } from "../../shared/panels.ts";
import { type ModelInspection, requests } from "../../shared/protocol.ts";
import { contractFileOf, editContract } from "../contractFile.ts";
import { exists } from "../files.ts";
import { actionsOf, panelError } from "../messages.ts";
import { resultsOf } from "../modelRuns.ts";
import type { Services } from "../services.ts";
import { watchFolder } from "../watchFolder.ts";
import { requireTrust, shortPath } from "../workspace.ts";
import type { PanelHost } from "./host.ts";
import { type ModelChecker, modelChecker } from "./modelCheck.ts";
import { definePanel, type OwnIntent } from "./panel.ts";
import { rememberPage } from "./remembered.ts";

interface Session {
  readonly panel: vscode.WebviewPanel;
  readonly model: string;
  readonly services: Services;
  state: ModelState;
  /** Readings so far: the last one counts. */
  turn: number;
  readonly checker: ModelChecker;
  /** Reads the model, then starts the check of its weights. Undefined when that failed; the page says why. */
  read(): Promise<ModelInspection | undefined>;
}

/** What a model file holds, and what is known about it. Its path is the subject. */
export const modelPanel = definePanel<string, ModelState, ModelUpdate, ModelIntent, Session>({
  name: "model",
  intents: modelIntents,
  looks: ["again", "openRun", "cancelCheck"],
  key: (model) => model,
  title: (model) => `Model: ${titleOf(model)}`,
  roots: () => [],
  column: () => vscode.ViewColumn.Active,
  keepsFocus: false,
  read: async (model) => model,
  comeBack: (session) => void session.read(),
  start,
  answer,
  errors: ({ state }) => [state.error, state.check?.error],
  fix,
  directory: ({ model }) => path.dirname(model),
  folder: "",
});

const titleOf = (model: string): string => path.basename(path.basename(model) === "model.json" ? path.dirname(model) : model);

function start(host: PanelHost<ModelState, ModelUpdate>, services: Services, model: string): Session {
  const state: ModelState = {
    runId: rememberPage(services, model),
    status: "loading",
    title: titleOf(model),
    path: shortPath(model),
    inspection: null,
    contractFile: null,
    results: [],
    check: null,
    error: null,
  };
  const checker = modelChecker(services, model, (check) => {
    if (!host.isClosed) show(host, session, { check });
  });
  const session: Session = { panel: host.panel, model, services, state, turn: 0, checker, read: () => read(host, session) };
  host.show(state);
  const listeners = [
    services.runs.onChange(() => void showResults(host, session)),
    watchFolder(path.dirname(model), isOf(model), () => void session.read()),
    vscode.workspace.onDidGrantWorkspaceTrust(() => void session.read()),
    { dispose: () => checker.cancel() },
  ];
  host.panel.onDidDispose(() => listeners.forEach((listener) => void listener.dispose()));
  return session;
}

/** Whether a file beside a model says something about it: itself, its contract, its weights. */
const isOf =
  (model: string) =>
  (name: string): boolean =>
    [model, contractFileOf(model)].some((file) => path.basename(file) === name) || (/\.json$/i.test(model) && /\.bin$/i.test(name));

function show(host: PanelHost<ModelState, ModelUpdate>, session: Session, change: Partial<ModelState>): void {
  session.state = { ...session.state, ...change };
  host.show(session.state);
}

async function read(host: PanelHost<ModelState, ModelUpdate>, session: Session): Promise<ModelInspection | undefined> {
  const { model, services } = session;
  const turn = ++session.turn;
  const isLast = (): boolean => turn === session.turn && !host.isClosed;
  session.checker.cancel();
  show(host, session, { status: "loading", error: null });
  try {
    requireTrust();
    const inspection = await services.engine.request(requests.inspectModel, { model });
    const file = contractFileOf(model);
    const contractFile = (await exists(file)) ? path.basename(file) : null;
    if (!isLast()) return inspection;
    show(host, session, { status: "ready", inspection, contractFile });
    void session.checker.start();
    await showResults(host, session);
    return inspection;
  } catch (thrown) {
    services.log.error(thrown instanceof Error ? thrown : String(thrown));
    if (isLast())
      show(host, session, {
        status: "failed",
        inspection: null,
        check: null,
        error: withoutInspect(panelError(thrown, remedies(thrown), [again])),
      });
    return undefined;
  }
}

const again = { label: "Read Again", id: "again" };
const fetchLarge = { label: "Open Terminal with git lfs pull", id: "lfs" };
/** A file that Git LFS has not fetched. */
const remedies = (thrown: unknown) => (toErrorData(thrown).fix?.includes("git lfs pull") ? [fetchLarge] : []);

async function fix(session: Session, id: string): Promise<boolean> {
  if (id === again.id) await session.read();
  else if (id === fetchLarge.id) openTerminal(path.dirname(session.model));
  else return false;
  return true;
}

/** The command stands there; the user runs it. */
function openTerminal(cwd: string): void {
  requireTrust();
  const terminal = vscode.window.createTerminal({ name: "git lfs", cwd });
  terminal.show();
  terminal.sendText("git lfs pull", false);
}

/** "Inspect Model…" would lead here. */
function withoutInspect(shown: PanelError): PanelError {
  const [action = null, ...others] = actionsOf(shown).filter(({ id }) => id !== commands.inspectModel);
  return { error: shown.error, action, ...(others.length > 0 ? { others } : {}) };
}

async function showResults(host: PanelHost<ModelState, ModelUpdate>, session: Session): Promise<void> {
  const results = await resultsOf(session.model, await session.services.runs.all());
  if (!host.isClosed && JSON.stringify(results) !== JSON.stringify(session.state.results)) show(host, session, { results });
}

async function answer(session: Session, intent: OwnIntent<ModelIntent>): Promise<void> {
  const model = vscode.Uri.file(session.model);
  if (intent.kind === "attack" || intent.kind === "explain" || intent.kind === "probe") session.checker.cancel(); // they use the same engine
  switch (intent.kind) {
    case "evaluate":
      return vscode.commands.executeCommand(commands.evaluateModel, model);
    case "attack":
      return vscode.commands.executeCommand(commands.attackModel, model);
    case "explain":
      return vscode.commands.executeCommand(commands.explainImage, undefined, { model: session.model });
    case "probe":
      await vscode.commands.executeCommand(commands.probeContract, model);
      await session.read();
      return;
    case "editContract":
      return editContract(session.model, session.state.inspection?.contract ?? { input: {} });
    case "again":
      await session.read();
      return;
    case "check":
      return session.checker.start();
    case "cancelCheck":
      return session.checker.cancel();
    case "openRun":
      return vscode.commands.executeCommand(commands.openRun, intent.run);
  }
}
