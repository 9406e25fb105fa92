import path from "node:path";
import * as vscode from "vscode";
import type { RunEvent } from "../../shared/events.ts";
import { type RunState, runFiles, runsFolder } from "../../shared/runs.ts";
import { foldersIn, isOwnFolder } from "../files.ts";
import { readRunState } from "../runFolder.ts";
import { resultFolders } from "../workspace.ts";

export interface LiveProgress {
  readonly phase: string;
  /** 0…1 */
  readonly overall: number;
  readonly etaSeconds: number | null;
}
export interface RunEntry {
  readonly id: string;
  readonly directory: string;
  readonly state: RunState;
  readonly live: LiveProgress | undefined;
}
/** All run folders of the workspace, newest first; follows the disk, so that runs of the command line appear as well. */
export interface RunIndex extends vscode.Disposable {
  readonly onChange: vscode.Event<void>;
  all(): Promise<readonly RunEntry[]>;
  find(id: string): Promise<RunEntry | undefined>;
  /** An event of a run that this window started. */
  note(id: string, event: RunEvent): void;
  forget(id: string): void;
  refresh(): void;
  /** The live run that is shown in the status bar. */
  readonly live: ReadonlyMap<string, LiveProgress>;
}

export function createRunIndex(): RunIndex {
  const emitter = new vscode.EventEmitter<void>();
  const live = new Map<string, LiveProgress>();
  const disposables: vscode.Disposable[] = [emitter];
  let cache: Promise<readonly RunEntry[]> | undefined;
  let timer: NodeJS.Timeout | undefined;
  const refresh = (): void => {
    cache = undefined;
    // State files change several times a second while a run is under way; a tree need not.
    timer ??= setTimeout(() => {
      timer = undefined;
      emitter.fire();
    }, 150);
  };
  const watch = (): void => {
    for (const folder of resultFolders()) {
      const watcher = vscode.workspace.createFileSystemWatcher(
        new vscode.RelativePattern(vscode.Uri.file(folder), `${runsFolder}/*/{${runFiles.state},${runFiles.report},${runFiles.result}}`),
      );
      disposables.push(watcher, watcher.onDidChange(refresh), watcher.onDidCreate(refresh), watcher.onDidDelete(refresh));
    }
  };
  watch();
  disposables.push(
    vscode.workspace.onDidChangeWorkspaceFolders(() => {
      watch();
      refresh();
    }),
  );
  const all = (): Promise<readonly RunEntry[]> => {
    cache ??= readAll();
    return cache.then((entries) => entries.map((entry) => ({ ...entry, live: live.get(entry.id) })));
  };
  return {
    onChange: emitter.event,
    all,
    find: async (id) => (await all()).find((entry) => entry.id === id) ?? (await readOne(id)),
    live,
    note(id, event) {
      const next = progressOf(event, live.get(id));
      if (next) live.set(id, next);
      if (event.kind === "done" || event.kind === "cancelled" || event.kind === "failed") live.delete(id);
      refresh();
    },
    forget(id) {
      live.delete(id);
      refresh();
    },
    refresh,
    dispose: () => {
      clearTimeout(timer);
      for (const disposable of disposables) disposable.dispose();
    },
  };
}

async function readAll(): Promise<readonly RunEntry[]> {
  const entries: RunEntry[] = [];
  for (const root of resultFolders())
    for (const id of await foldersIn(path.join(root, runsFolder))) {
      const directory = path.join(root, runsFolder, id);
      const state = await readRunState(directory);
      if (state) entries.push({ id, directory, state, live: undefined });
    }
  return entries.sort((a, b) => b.state.createdAt.localeCompare(a.state.createdAt));
}

/** A run that was made after the last look. */
async function readOne(id: string): Promise<RunEntry | undefined> {
  if (id !== path.basename(id)) return undefined;
  for (const root of resultFolders()) {
    const directory = path.join(root, runsFolder, id);
    const state = (await isOwnFolder(directory)) ? await readRunState(directory) : undefined;
    if (state) return { id, directory, state, live: undefined };
  }
  return undefined;
}

function progressOf(event: RunEvent, before: LiveProgress | undefined): LiveProgress | undefined {
  if (event.kind === "phase") return { overall: before?.overall ?? 0, etaSeconds: before?.etaSeconds ?? null, phase: event.phase };
  if (event.kind === "progress") return { phase: event.phase, overall: event.overall, etaSeconds: event.etaSeconds };
  return undefined;
}
