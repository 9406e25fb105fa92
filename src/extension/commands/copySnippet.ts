import * as vscode from "vscode";
import type { Services } from "../services.ts";

/** Puts lines of program text, such as those that export a model, into the clipboard. */
export async function copySnippet(_services: Services, text?: unknown): Promise<unknown> {
  if (typeof text !== "string" || text === "") return undefined;
  await vscode.env.clipboard.writeText(text);
  void vscode.window.showInformationMessage("The export snippet is in the clipboard. Run it where your model is.");
  return text;
}
