import { realpath } from "node:fs/promises";
import * as vscode from "vscode";
import { imageExtensions } from "../shared/contributions.ts";
import { BulwarkError } from "../shared/errors.ts";
import { isInside } from "./files.ts";

let storage: string | undefined;
let media: string | undefined;
/** Says once, when the extension starts, which folder takes results while none is open, and where the samples lie. */
export function usePlaces(context: vscode.ExtensionContext): void {
  storage = context.globalStorageUri.fsPath;
  media = vscode.Uri.joinPath(context.extensionUri, "media").fsPath;
}

/** The extension's own storage on this computer, outside every workspace. @throws USAGE before the extension has started */
export function storageFolder(): string {
  if (storage === undefined) throw new BulwarkError("USAGE", "Bulwark has not started.", "Reload the window.");
  return storage;
}

/** The folder that gets `.bulwark/`: the one that holds `path`, else the first, else the extension's own storage. */
export function rootFolder(path?: string): string {
  const holder = path === undefined ? undefined : vscode.workspace.getWorkspaceFolder(vscode.Uri.file(path));
  const folder = (holder ?? vscode.workspace.workspaceFolders?.[0])?.uri.fsPath ?? storage;
  if (folder === undefined) throw new BulwarkError("USAGE", "No folder is open.", "Open a folder: results are written to .bulwark in it.");
  return folder;
}
export const rootFolders = (): string[] => (vscode.workspace.workspaceFolders ?? []).map((folder) => folder.uri.fsPath);

/** Folders whose `.bulwark/` holds results: the open ones, or the extension's own storage. */
export function resultFolders(): string[] {
  const open = rootFolders();
  return open.length > 0 || storage === undefined ? open : [storage];
}

/** Whether a path that a file of the workspace names lies in an open folder, in our own storage or among the samples, links followed. */
export async function isKnownPlace(path: string): Promise<boolean> {
  const real = (one: string): Promise<string | null> => realpath(one).catch(() => null);
  const folders = await Promise.all([...rootFolders(), ...(storage ? [storage] : []), ...(media ? [media] : [])].map(real));
  const file = await real(path);
  return file !== null && folders.some((folder) => folder !== null && isInside(folder, file));
}

/** Nothing of a folder is loaded or run before the user trusts it. @throws UNTRUSTED */
export function requireTrust(): void {
  if (!vscode.workspace.isTrusted)
    throw new BulwarkError(
      "UNTRUSTED",
      "This folder is not trusted, so Bulwark won't run anything in it.",
      "Trust the folder, then try again.",
    );
}

/** What menus, lenses, trees and tests hand to a command: a Uri, a string (URI or path), or a tree node with `uri`. */
export function toUri(argument: unknown): vscode.Uri | undefined {
  if (argument instanceof vscode.Uri) return argument;
  if (typeof argument === "string") return /^[a-z][a-z\d+.-]+:/i.test(argument) ? vscode.Uri.parse(argument) : vscode.Uri.file(argument);
  if (typeof argument === "object" && argument !== null && "uri" in argument) return toUri(argument.uri);
  return undefined;
}
export const toPath = (argument: unknown): string | undefined => toUri(argument)?.fsPath;

/** Relative to its folder, as people know it; the samples are called so. */
export const shortPath = (path: string): string =>
  media !== undefined && isInside(media, path)
    ? path.slice(media.length + 1)
    : vscode.workspace.asRelativePath(path, rootFolders().length > 1);

/** The resource of the active tab, text editor or not. */
export function activeResource(): vscode.Uri | undefined {
  const input = vscode.window.tabGroups.activeTabGroup.activeTab?.input;
  return input instanceof vscode.TabInputText || input instanceof vscode.TabInputCustom ? input.uri : undefined;
}

/** The image of the active tab. */
export function activeImage(): string | undefined {
  const path = activeResource()?.fsPath;
  return path !== undefined && isImage(path) ? path : undefined;
}
export const isImage = (path: string): boolean => new RegExp(`\\.(${imageExtensions.join("|")})$`, "i").test(path);

export const setting = <T>(name: string, fallback: T): T => vscode.workspace.getConfiguration().get<T>(name, fallback);
