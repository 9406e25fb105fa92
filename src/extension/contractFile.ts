import path from "node:path";
import * as vscode from "vscode";
import type { InputContract } from "../shared/contract.ts";
import { exists } from "./files.ts";

/** `model.json` → `model.bulwark.json` beside it. */
export const contractFileOf = (model: string): string =>
  path.join(path.dirname(model), `${path.basename(model, path.extname(model))}.bulwark.json`);

/** Shows the contract file, or a new one that holds what is in force now; nothing is written before it is saved. */
export async function editContract(model: string, inForce: InputContract): Promise<void> {
  const file = vscode.Uri.file(contractFileOf(model));
  if (await exists(file.fsPath)) {
    await vscode.window.showTextDocument(file, { viewColumn: vscode.ViewColumn.Beside });
    return;
  }
  const document = await vscode.workspace.openTextDocument(file.with({ scheme: "untitled" }));
  const editor = await vscode.window.showTextDocument(document, { viewColumn: vscode.ViewColumn.Beside });
  const text = `${JSON.stringify(inForce, null, 2)}\n`;
  if (document.getText() === "") await editor.edit((edit) => edit.insert(new vscode.Position(0, 0), text));
}
