import path from "node:path";
import * as vscode from "vscode";
import { experimentLanguage } from "../shared/contributions.ts";
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

async function startClient({ context, log, runs }: Services): Promise<void> {
  const { LanguageClient, TransportKind } = await import("vscode-languageclient/node");
  const run = { module: context.asAbsolutePath("dist/language-server.cjs"), transport: TransportKind.ipc };
  const client = new LanguageClient(
    "bulwark",
    "Bulwark",
    { run, debug: run },
    {
      documentSelector: [
        { scheme: "file", language: experimentLanguage },
        { scheme: "file", pattern: "**/model.json" },
      ],
      outputChannel: log,
    },
  );
  context.subscriptions.push({ dispose: () => void client.stop() });
  await client.start();
  // Lenses show the last result, which a finished run changes.
  context.subscriptions.push(runs.onChange(() => void client.sendNotification("bulwark/runsChanged")));
}
