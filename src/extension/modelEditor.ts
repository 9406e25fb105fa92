import * as vscode from "vscode";
import { modelEditor } from "../shared/contributions.ts";
import { modelPanel } from "./panels/model.ts";
import type { Services } from "./services.ts";

/** Opens ONNX and Keras files, read-only, with the page that "Inspect Model…" shows. VS Code brings these editors back after a reload. */
export function registerModelEditor(services: Services): void {
  const provider: vscode.CustomReadonlyEditorProvider = {
    openCustomDocument: (uri) => ({ uri, dispose: () => undefined }),
    resolveCustomEditor: ({ uri }, panel) => void modelPanel.adopt(services, panel, uri.fsPath).read(),
  };
  services.context.subscriptions.push(vscode.window.registerCustomEditorProvider(modelEditor, provider));
}
