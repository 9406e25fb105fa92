import * as vscode from "vscode";
import generated from "../shared/catalog.generated.json";
import type { Catalog } from "../shared/catalog.ts";
import { experimentLanguage } from "../shared/contributions.ts";
import { jsonOf, parseExperiment } from "../shared/fileRules/tree.ts";
import { requests } from "../shared/protocol.ts";
import type { WarmEngine } from "./engine/engine.ts";
import { showError } from "./messages.ts";
import type { Services } from "./services.ts";

/** What there is to choose from: Bulwark's own entries, and those of the plugins of experiments that have been opened in a trusted workspace. */
export interface LiveCatalog {
  readonly current: Catalog;
  readonly onChange: vscode.Event<void>;
  /** Runs the plugins of an experiment, now and in every engine that is started later. @throws PLUGIN_INVALID */
  use(experiment: string, engine: Pick<WarmEngine, "request">): Promise<void>;
  /** Runs all of them in an engine that has just been started; one that cannot be used any more is left out. */
  restore(engine: Pick<WarmEngine, "request">, failed: (thrown: unknown) => void): Promise<void>;
  readonly hasPlugins: boolean;
}

export function createCatalog(): LiveCatalog & vscode.Disposable {
  const changed = new vscode.EventEmitter<void>();
  const experiments = new Set<string>();
  let current = generated as unknown as Catalog; // written from the registries by `npm run generate`
  const list: LiveCatalog["use"] = async (experiment, engine) => {
    experiments.delete(experiment);
    const next = await engine.request(requests.list, { experiment });
    experiments.add(experiment);
    if (JSON.stringify(next) === JSON.stringify(current)) return;
    current = next;
    changed.fire();
  };
  return {
    get current() {
      return current;
    },
    get hasPlugins() {
      return experiments.size > 0;
    },
    onChange: changed.event,
    use: list,
    async restore(engine, failed) {
      for (const experiment of [...experiments]) await list(experiment, engine).catch(failed);
    },
    dispose: () => changed.dispose(),
  };
}

/** Follows the experiment files that are opened and saved. Nothing of a plugin runs before the workspace is trusted. */
export function registerPlugins({ catalog, engine, log, context }: Services): void {
  const use = async (document: vscode.TextDocument): Promise<void> => {
    if (!vscode.workspace.isTrusted || document.uri.scheme !== "file") return;
    const again = document.uri.path.endsWith(".mjs") && catalog.hasPlugins;
    try {
      if (again) await catalog.restore(engine, (thrown) => showError(log, thrown));
      else if (document.languageId === experimentLanguage && namesPlugins(document.getText()))
        await catalog.use(document.uri.fsPath, engine);
    } catch (thrown) {
      showError(log, thrown);
    }
  };
  const useAll = (): void => {
    for (const document of vscode.workspace.textDocuments) if (document.languageId === experimentLanguage) void use(document);
  };
  const opened = (document: vscode.TextDocument): void => {
    if (document.languageId === experimentLanguage) void use(document);
  };
  context.subscriptions.push(
    vscode.workspace.onDidOpenTextDocument(opened),
    vscode.workspace.onDidSaveTextDocument((document) => void use(document)),
    vscode.workspace.onDidGrantWorkspaceTrust(useAll),
  );
  useAll();
}

function namesPlugins(text: string): boolean {
  const root = parseExperiment(text);
  const { plugins } = ((root && jsonOf(root)) ?? {}) as { readonly plugins?: unknown };
  return Array.isArray(plugins) && plugins.length > 0;
}
