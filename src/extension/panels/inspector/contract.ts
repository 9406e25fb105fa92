import path from "node:path";
import * as vscode from "vscode";
import { commands } from "../../../shared/contributions.ts";
import { cancelled } from "../../../shared/errors.ts";
import type { ModelInspection } from "../../../shared/protocol.ts";
import { requests } from "../../../shared/protocol.ts";
import { pick } from "../../choose.ts";
import { contractFileOf, editContract } from "../../contractFile.ts";
import { exists } from "../../files.ts";
import { shortPath } from "../../workspace.ts";
import type { Session } from "./session.ts";

/** Null where the model cannot be opened: it may be its contract that is wrong. */
const inspected = ({ services, state }: Session): Promise<ModelInspection | null> =>
  services.engine.request(requests.inspectModel, { model: state.model.path }).catch(() => null);

/** The contract beside the model, or a new one of what is in force. */
export async function editOf(session: Session): Promise<void> {
  await editContract(session.state.model.path, (await inspected(session))?.contract ?? { input: {} });
}

/**
 * Finds out from labelled pictures how the model takes its images. A contract that keeps the model from being opened is put aside first, after
 * asking. @throws CANCELLED
 */
export async function probeOf(session: Session): Promise<void> {
  const { model } = session.state;
  const file = contractFileOf(model.path);
  if ((await exists(file)) && !(await inspected(session))) await putAside(file);
  await vscode.commands.executeCommand(commands.probeContract, vscode.Uri.file(model.path));
}

async function putAside(file: string): Promise<void> {
  let aside = `${file}.old`;
  for (let i = 2; await exists(aside); i++) aside = `${file}.old${i}`;
  const rename = { label: `Rename ${shortPath(file)} to ${path.basename(aside)}, and probe`, isYes: true };
  const keep = { label: "Keep it as it is", isYes: false };
  const question = "The model cannot be opened with this contract, so it cannot be probed with it either.";
  if (!(await pick([rename, keep], question)).isYes) throw cancelled();
  await vscode.workspace.fs.rename(vscode.Uri.file(file), vscode.Uri.file(aside));
}
