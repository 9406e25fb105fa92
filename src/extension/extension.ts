import * as vscode from "vscode";
import { settings } from "../shared/contributions.ts";
import { registerPlugins } from "./catalog.ts";
import { registerClient } from "./client.ts";
import { registerCommands } from "./commands/table.ts";
import { registerModelEditor } from "./modelEditor.ts";
import { registerModelLenses } from "./modelLenses.ts";
import { registerPanels } from "./panels/register.ts";
import { createServices, type Services } from "./services.ts";
import { registerViews, type Trees } from "./views/register.ts";

/** What tests and other extensions get from `activate`. */
export interface BulwarkApi {
  readonly services: Services;
  readonly trees: Trees;
}

/** Registers everything and starts nothing: engine and language server wait for the first use. */
export function activate(context: vscode.ExtensionContext): BulwarkApi {
  const services = createServices(context);
  registerCommands(services);
  registerPanels(services);
  registerModelEditor(services);
  registerModelLenses(services);
  const trees = registerViews(services);
  registerClient(services);
  registerPlugins(services);
  context.subscriptions.push(
    vscode.workspace.onDidChangeConfiguration((event) => {
      const ofEngine = [settings.backend, settings.device, settings.nodePath, settings.threads, settings.memory];
      if (ofEngine.some((name) => event.affectsConfiguration(name))) services.engine.renew();
    }),
    vscode.workspace.onDidGrantWorkspaceTrust(() => services.runs.refresh()),
  );
  return { services, trees };
}
