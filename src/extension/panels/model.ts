import path from "node:path";
import * as vscode from "vscode";
import { commands } from "../../shared/contributions.ts";
import type { ModelIntent, ModelState, ModelUpdate } from "../../shared/pages.ts";
import type { PanelError } from "../../shared/panels.ts";
import { type ModelInspection, requests } from "../../shared/protocol.ts";
import { contractFileOf, editContract } from "../contractFile.ts";
import { exists } from "../files.ts";
import { actionsOf, panelError } from "../messages.ts";
import { resultsOf } from "../modelRuns.ts";
import type { Services } from "../services.ts";
import { requireTrust, shortPath } from "../workspace.ts";
import type { PanelHost } from "./host.ts";
import { definePanel, type OwnIntent } from "./panel.ts";
import { rememberPage } from "./remembered.ts";

interface Session {
  readonly panel: vscode.WebviewPanel;
  readonly model: string;
  readonly services: Services;
  state: ModelState;
  /** Reads the model. Undefined when that failed; the page says why. */
  read(): Promise<ModelInspection | undefined>;
}

/** What a model file holds, and what is known about it. Its path is the subject. */
export const modelPanel = definePanel<string, ModelState, ModelUpdate, ModelIntent, Session>({
  name: "model",
  key: (model) => model,
  title: (model) => `Model: ${titleOf(model)}`,
  roots: () => [],
  column: () => vscode.ViewColumn.Active,
  keepsFocus: false,
  read: async (model) => model,
  comeBack: (session) => void session.read(),
  start,
  answer,
  errors: ({ state }) => [state.error],
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
    error: null,
  };
  const session: Session = { panel: host.panel, model, services, state, read: () => read(host, session) };
  host.show(state);
  const listener = services.runs.onChange(() => void showResults(host, session));
  host.panel.onDidDispose(() => listener.dispose());
  return session;
}

function show(host: PanelHost<ModelState, ModelUpdate>, session: Session, change: Partial<ModelState>): void {
  session.state = { ...session.state, ...change };
  host.show(session.state);
}

async function read(host: PanelHost<ModelState, ModelUpdate>, session: Session): Promise<ModelInspection | undefined> {
  const { model, services } = session;
  show(host, session, { status: "loading", error: null });
  try {
    requireTrust();
    const inspection = await services.engine.request(requests.inspectModel, { model });
    const file = contractFileOf(model);
    show(host, session, { status: "ready", inspection, contractFile: (await exists(file)) ? path.basename(file) : null });
    await showResults(host, session);
    return inspection;
  } catch (thrown) {
    services.log.error(thrown instanceof Error ? thrown : String(thrown));
    show(host, session, { status: "failed", inspection: null, error: withoutInspect(panelError(thrown)) });
    return undefined;
  }
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
    case "openRun":
      return vscode.commands.executeCommand(commands.openRun, intent.run);
  }
}
