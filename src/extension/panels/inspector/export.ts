import path from "node:path";
import * as vscode from "vscode";
import { BulwarkError } from "../../../shared/errors.ts";
import type { InspectorIntent } from "../../../shared/panels.ts";
import type { AttackImageResult } from "../../../shared/protocol.ts";
import { runFiles } from "../../../shared/runs.ts";
import { readInside } from "../../files.ts";
import { showError } from "../../messages.ts";
import type { Services } from "../../services.ts";
import { bytesOfDataUrl, saveAs } from "../save.ts";
import { withTextOf } from "./pngText.ts";

export interface Exportable {
  readonly directory: string;
  readonly title: string;
  readonly result: AttackImageResult | null;
  /** Where the save dialog starts. */
  readonly root: string;
}
type ExportIntent = Extract<InspectorIntent, { readonly kind: "export" }>;

/** @throws RUN_INVALID where it is not there, or is a link out of the run folder */
async function fileOf(directory: string, name: string): Promise<Uint8Array> {
  const bytes = await readInside(directory, name);
  if (bytes === null) throw new BulwarkError("RUN_INVALID", `${name} is not in the run folder.`, "Attack the picture again.");
  return bytes;
}

export async function exportInspector(services: Services, o: Exportable, intent: ExportIntent): Promise<void> {
  try {
    const name = path.join(o.root, path.parse(o.title).name);
    if (intent.format === "panel") {
      const bytes = intent.dataUrl === undefined ? undefined : bytesOfDataUrl(intent.dataUrl);
      const source = o.result && (await readInside(o.directory, o.result.after.image));
      if (bytes) await saveAs(`${name}-inspector.png`, source ? withTextOf(bytes, source) : bytes);
      return;
    }
    if (!o.result) throw new BulwarkError("RUN_INVALID", "There is no result to export yet.", "Wait until the attack has finished.");
    if (intent.format === "png") await saveAs(`${name}-${o.result.attack.id}.png`, await fileOf(o.directory, o.result.after.image));
    else if (intent.format === "npz") await saveAs(`${name}-${o.result.attack.id}.npz`, await fileOf(o.directory, runFiles.adversarial));
    else {
      await vscode.env.clipboard.writeText(o.result.commandLine);
      void vscode.window.setStatusBarMessage("Command line copied.", 3000);
    }
  } catch (thrown) {
    showError(services.log, thrown);
  }
}
