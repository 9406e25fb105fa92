import { createRequire } from "node:module";
import path from "node:path";
import * as vscode from "vscode";
import { experimentLanguage } from "../shared/contributions.ts";
import type * as languageClient from "./languageClient.ts";
import type { Services } from "./services.ts";

const isOurs = (document: vscode.TextDocument): boolean =>
  document.uri.scheme === "file" && (document.languageId === experimentLanguage || path.basename(document.uri.fsPath) === "model.json");

/** Starts the language server with the first experiment or model file, not before. */
export function registerClient(services: Services): void {
  let isStarted = false;
  const { subscriptions } = services.context;
  const look = (document: vscode.TextDocument): void => {
    if (isStarted || !isOurs(document)) return;
    isStarted = true;
    startClient(services).catch((thrown: unknown) => {
      isStarted = false;
      services.log.error(`The language server did not start: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
    });
  };
  subscriptions.push(vscode.workspace.onDidOpenTextDocument(look));
  for (const document of vscode.workspace.textDocuments) look(document);
}

/** Loaded from its own bundle beside this one. */
async function startClient(services: Services): Promise<void> {
  const load = createRequire(services.context.asAbsolutePath("dist/extension.cjs"));
  const client = load("./language-client.cjs") as typeof languageClient;
  await client.startClient(services);
}
