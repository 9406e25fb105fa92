import { type Dirent, promises as fs, type Stats } from "node:fs";
import path from "node:path";
import { BulwarkError } from "../../shared/errors.ts";
import { planFiles } from "../../shared/plan.ts";
import { isNameInside, type RunState, runFiles } from "../../shared/runs.ts";

/** Not results: locks and what a crash left of a write, hidden files, and what the editor keeps beside a run. */
const passedOver = /^\.|\.tmp$|^(driver|cancel|inspector|cards|ranking|explanation)\.json$/;

/** What a run writes. Trained models are apart: an arm that did not change need not be trained again. */
const results =
  /^(adversarial.*\.npz|(predictions|defended|detection)\.npz|detector-.*\.npz|patch.*\.(png|json)|records-.*\.json|report\.(json|html|md|csv)|dataset\.json|ledger\.npz|analyses\.csv|result\.json|experiment\.json|events\.jsonl|images|pieces|attempts|plan\.json|batches\.json|partial|checkpoints|steps|slices|(image|original|adversarial|difference|attention|attention-before|attention-after|overlay)\.png)$/;
const models = /^model(-.*)?$/;

/** Whether a file of a run, by its path in there, is one that runs write. A file of the folder may say so, which may come from anybody. */
export function isResult(name: string): boolean {
  const [first = ""] = name.split("/");
  return isNameInside(name) && (results.test(first) || models.test(first));
}

/** True when nothing of interest lies in the folder. */
export const isVacant = async (directory: string): Promise<boolean> => (await fs.readdir(directory)).every((name) => passedOver.test(name));

/** Files that a run writes before it has results: the request, the plan, the list of images, and its state. */
const preparations = /^(state|experiment|plan|batches|dataset)\.json$|^events\.jsonl$|^attempts$/;

/** Pieces of a run that hold its test images as they were read. */
const readImages = /^images-/;

/** Whether the folder of a run holds more than its preparations, such as test images that were read: a result, or a file of somebody else. */
export async function hasResults(directory: string): Promise<boolean> {
  for (const name of await fs.readdir(directory)) {
    if (passedOver.test(name) || preparations.test(name)) continue;
    if (name !== planFiles.pieces) return true;
    const pieces = await fs.readdir(path.join(directory, name));
    if (pieces.some((piece) => !passedOver.test(piece) && !readImages.test(piece))) return true;
  }
  return false;
}

/**
 * Nothing of a run is written through a link, which may lead anywhere, nor into a pipe or a device. Files of others that lie in the folder
 * are theirs. @throws NOT_WRITABLE
 */
export async function refuseLinks(directory: string): Promise<void> {
  for (const name of await fs.readdir(directory)) {
    if (!results.test(name) && !models.test(name) && !preparations.test(name)) continue;
    const place = path.join(directory, name);
    const found = await fs.lstat(place);
    refuseSpecial(place, found);
    if (found.isDirectory()) for await (const inner of everythingIn(place)) refuseSpecial(inner.place, inner.entry);
  }
}

/** What lies in and below a folder. Links are named and not followed. */
async function* everythingIn(directory: string): AsyncGenerator<{ readonly place: string; readonly entry: Dirent }> {
  for (const entry of await fs.readdir(directory, { withFileTypes: true })) {
    const place = path.join(directory, entry.name);
    yield { place, entry };
    if (entry.isDirectory()) yield* everythingIn(place);
  }
}

function refuseSpecial(place: string, found: Dirent | Stats): void {
  if (found.isFile() || found.isDirectory()) return;
  throw new BulwarkError(
    "NOT_WRITABLE",
    `${place} is ${found.isSymbolicLink() ? "a link" : "neither a file nor a folder"}; a run does not write through it.`,
    "Remove it, or name another folder with --out.",
  );
}

/** Written beside a file by a process that did not live to rename it (`temporaryName`). */
const halfWritten = /\.(\d+)-\d+\.tmp$/;

/** Removes what other processes have left half-written in a run folder whose lock is held here; what the editor writes there is not touched. */
export async function removeHalfWritten(directory: string): Promise<void> {
  for await (const { place, entry } of everythingIn(directory)) {
    const [file = "", writer] = halfWritten.exec(entry.name) ?? [];
    if (writer === undefined || Number(writer) === process.pid || passedOver.test(path.relative(directory, place).slice(0, -file.length)))
      continue;
    await fs.rm(place, { force: true });
  }
}

/** Removes the results of an earlier run, and nothing else that somebody may have put into the folder. */
export async function removeResults(directory: string, o: { readonly keepModels: boolean }): Promise<void> {
  for (const name of await fs.readdir(directory))
    if (results.test(name) || (!o.keepModels && models.test(name)))
      await fs.rm(path.join(directory, name), { recursive: true, force: true });
}

/** `state` is what the folder's own state.json says; null where it has none. */
export function occupied(directory: string, state: RunState | null): BulwarkError {
  return state === null
    ? new BulwarkError(
        "RUN_EXISTS",
        `${directory} is not empty, and not the folder of a run either: it has no ${runFiles.state} that can be read.`,
        "Name a new or empty folder with --out, or write into this one with --force.",
      )
    : new BulwarkError(
        "RUN_EXISTS",
        `${directory} holds another run: ${state.title} (${state.kind}, ${state.status}).`,
        "Name another folder with --out, or replace that run with --force.",
      );
}
