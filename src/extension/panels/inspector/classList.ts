import path from "node:path";
import * as vscode from "vscode";
import type { ClassListChoice, ClassLists } from "../../../shared/classLists.ts";
import { cancelled } from "../../../shared/errors.ts";
import { count, plural } from "../../../shared/format.ts";
import { requests } from "../../../shared/protocol.ts";
import { pick } from "../../choose.ts";
import { contractFileOf } from "../../contractFile.ts";
import { requireTrust, shortPath } from "../../workspace.ts";
import { redo } from "./attack.ts";
import { requestOf, type Session } from "./session.ts";

/** Names of files that may list classes; whether one does is for the engine to say. */
const listNames = "{*label*,*class*,*names*,*synset*,*categor*,metadata,config}";
const mostFiles = 200;

/** Asks for the names of the model's classes, and before they are written into its contract. @throws CANCELLED, what opening the model throws */
export async function chooseClassList(session: Session): Promise<void> {
  requireTrust();
  const { services, state } = session;
  const model = state.model.path;
  const found = await services.engine.request(requests.classLists, { model, files: await listFiles(model) });
  const choices = found.fitting.map((list) => ({ ...itemOf(list, found), list }));
  const other = { label: "$(folder-opened) Another file…", description: "", detail: othersText(found), list: null };
  const { list } = await pick([...choices, other], `Names of the ${count(found.outputs)} classes. ${nowText(found)}`);
  const file = list ? list.file : await browse();
  const target = shortPath(contractFileOf(model));
  const write = {
    label: `Write the names into ${target}`,
    detail: "Everybody who uses this model has them then, the command line too.",
    isYes: true,
  };
  const keep = { label: "Keep it as it is", detail: "", isYes: false };
  if (!(await pick([write, keep], `Name the classes by ${titleOf(file)}?`)).isYes) throw cancelled();
  await setClassList(session, file);
}

/** Names the model's classes by a list, null for ImageNet's, in its contract; what is on show is done again under these names. */
export async function setClassList(session: Session, file: string | null): Promise<void> {
  const { services, state } = session;
  const { names } = await services.engine.request(requests.writeClassList, { model: state.model.path, file });
  const { label } = state;
  const renamed = label && label.index !== null ? { ...label, name: names[label.index] ?? label.name } : label;
  await redo(session, { ...requestOf(session), label: renamed });
}

/** Lists of the open folders, those beside the model first. */
async function listFiles(model: string): Promise<string[]> {
  const found = await vscode.workspace.findFiles(`**/${listNames}.{txt,json,names}`, "**/{node_modules,.git,.bulwark}/**", mostFiles);
  const beside = (file: string): number => Number(path.dirname(file) !== path.dirname(model));
  return found
    .map(({ fsPath }) => fsPath)
    .filter((file) => !file.endsWith(".bulwark.json"))
    .sort((a, b) => beside(a) - beside(b) || a.localeCompare(b));
}

const titleOf = (file: string | null): string => (file === null ? "ImageNet's names" : path.basename(file));

const itemOf = ({ file, count: n, sample }: ClassListChoice, { outputs }: ClassLists): vscode.QuickPickItem => ({
  label: titleOf(file),
  description: file === null ? "come with Bulwark" : shortPath(path.dirname(file)),
  detail: `${sample.join(", ")}${n > sample.length ? ` … and ${count(n - sample.length)} more` : ""}${n < outputs ? " (after a background class)" : ""}`,
});

const nowText = ({ now }: ClassLists): string => (now ? `Now: ${now.text}.` : "Now they have no names, or a list that does not fit.");

/** Why a list that a person knows of is not offered. */
const othersText = ({ others }: ClassLists): string =>
  others.length === 0 ? "" : `Not offered, as they name another number of classes: ${shown(others)}.`;
const shown = (lists: readonly ClassListChoice[]): string => {
  const first = lists.slice(0, 3).map(({ file, count: n }) => `${titleOf(file)} (${count(n)})`);
  return lists.length > first.length ? `${first.join(", ")} and ${plural(lists.length - first.length, "other")}` : first.join(", ");
};

async function browse(): Promise<string> {
  const filters = { "List of class names": ["txt", "json", "names", "csv"] };
  const [file] = (await vscode.window.showOpenDialog({ openLabel: "Choose List", filters })) ?? [];
  if (!file) throw cancelled();
  return file.fsPath;
}
