import * as vscode from "vscode";
import { LanguageClient, type LanguageClientOptions, TransportKind } from "vscode-languageclient/node";
import { experimentLanguage } from "../shared/contributions.ts";
import type { Services } from "./services.ts";

// A bundle of its own: it is larger than the rest of the extension together, and most windows never need it.
export async function startClient({ context, log, runs, catalog }: Services): Promise<void> {
  const run = { module: context.asAbsolutePath("dist/language-server.cjs"), transport: TransportKind.ipc };
  const options: LanguageClientOptions = {
    documentSelector: [
      { scheme: "file", language: experimentLanguage },
      { scheme: "file", pattern: "**/model.json" },
    ],
    outputChannel: log,
  };
  const client = new LanguageClient("bulwark", "Bulwark", { run, debug: run }, options);
  context.subscriptions.push(new vscode.Disposable(() => void client.stop()));
  await client.start();
  const tellCatalog = (): void => void client.sendNotification("bulwark/catalog", { catalog: catalog.current });
  context.subscriptions.push(catalog.onChange(tellCatalog));
  if (catalog.hasPlugins) tellCatalog();
  // Lenses show the last result, which a finished run changes.
  context.subscriptions.push(runs.onChange(() => void client.sendNotification("bulwark/runsChanged")));
}
