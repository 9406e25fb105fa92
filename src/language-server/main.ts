import { CodeActionKind, createConnection, ProposedFeatures, TextDocumentSyncKind, TextDocuments } from "vscode-languageserver/node";
import { TextDocument } from "vscode-languageserver-textdocument";
import generated from "../shared/catalog.generated.json";
import type { Catalog } from "../shared/catalog.ts";
import { createExperiments } from "./experiments.ts";
import { experimentLenses, isModelJson, modelLenses } from "./lenses.ts";

// Language server of experiment files and model files; loads no engine.
const connection = createConnection(ProposedFeatures.all);
const documents = new TextDocuments(TextDocument);
let experiments = createExperiments(generated as unknown as Catalog); // written from the registries by `npm run generate`

const isExperiment = (document: TextDocument): boolean => document.uri.endsWith(".bulwark.jsonc");
const experimentAt = (uri: string): TextDocument | undefined => {
  const document = documents.get(uri);
  return document && isExperiment(document) ? document : undefined;
};

connection.onInitialize(() => ({
  capabilities: {
    textDocumentSync: TextDocumentSyncKind.Incremental,
    completionProvider: { triggerCharacters: ['"', ":", " "] },
    hoverProvider: true,
    codeActionProvider: { codeActionKinds: [CodeActionKind.QuickFix] },
    codeLensProvider: { resolveProvider: false },
  },
}));

const timers = new Map<string, NodeJS.Timeout>();
const diagnosticDelay = 150;

documents.onDidChangeContent(({ document }) => {
  if (!isExperiment(document)) return;
  clearTimeout(timers.get(document.uri));
  timers.set(
    document.uri,
    setTimeout(() => void diagnose(document.uri), diagnosticDelay),
  );
});
async function diagnose(uri: string): Promise<void> {
  const document = experimentAt(uri);
  if (!document) return;
  const { version } = document;
  const diagnostics = await experiments.diagnose(document);
  if (documents.get(uri)?.version === version) await connection.sendDiagnostics({ uri, version, diagnostics });
}
documents.onDidClose(({ document }) => {
  clearTimeout(timers.get(document.uri));
  timers.delete(document.uri);
  if (isExperiment(document)) void connection.sendDiagnostics({ uri: document.uri, diagnostics: [] });
});

connection.onCompletion(({ textDocument, position }) => {
  const document = experimentAt(textDocument.uri);
  return document ? experiments.complete(document, position) : null;
});
connection.onHover(({ textDocument, position }) => {
  const document = experimentAt(textDocument.uri);
  return document ? experiments.hover(document, position) : null;
});
connection.onCodeAction(({ textDocument, range }) => {
  const document = experimentAt(textDocument.uri);
  return document ? experiments.actions(document, range) : [];
});
connection.onCodeLens(({ textDocument }) => {
  const document = documents.get(textDocument.uri);
  if (!document) return [];
  if (isExperiment(document)) return experimentLenses(document.uri, experiments.firstLine(document));
  return isModelJson(document.getText()) ? modelLenses(document.uri) : [];
});
connection.onNotification("bulwark/runsChanged", () => {
  void connection.sendRequest("workspace/codeLens/refresh");
  // A path that was missing may be there now.
  for (const document of documents.all()) void diagnose(document.uri);
});

/** Plugins have added entries. */
connection.onNotification("bulwark/catalog", ({ catalog }: { readonly catalog: Catalog }) => {
  experiments = createExperiments(catalog);
  for (const document of documents.all()) void diagnose(document.uri);
});

documents.listen(connection);
connection.listen();
