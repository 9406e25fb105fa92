import { createHash } from "node:crypto";
import { realpath, stat } from "node:fs/promises";
import path from "node:path";
import { BulwarkError } from "../../shared/errors.ts";
import { readBytes } from "../io/files.ts";

/** A plugin's file and its current checksum. */
export interface PluginFile {
  /** Absolute, links followed. */
  readonly file: string;
  readonly sha256: string;
}

/** Far above any plugin written by hand. */
const mostBytes = 1 << 20;

/**
 * The file that an experiment names, inside the experiment's folder and nowhere else.
 * @param directory of the experiment
 * @throws PLUGIN_INVALID for a URL, another place, another kind of file, one that is not there or imports other files
 */
export async function locatePlugin(named: string, directory: string): Promise<PluginFile> {
  if (/^[a-z][a-z0-9+.-]+:/i.test(named)) throw refused(named, "is a URL, and nothing is fetched", inside);
  if (!/\.mjs$/.test(named)) throw refused(named, "is no .mjs file", "Write the plugin as an ECMAScript module whose name ends in .mjs.");
  const [folder, file] = await Promise.all([realpath(directory), realpath(path.resolve(directory, named)).catch(() => null)]);
  if (file === null) throw refused(named, `is not in ${directory}`, "Check the path; it is relative to the experiment file.");
  const relative = path.relative(folder, file);
  if (relative.startsWith("..") || path.isAbsolute(relative)) throw refused(named, "lies outside the experiment's folder", inside);
  return readPlugin(file, named);
}

/** The file of a plugin, wherever it lies. @throws PLUGIN_INVALID */
export async function readPlugin(file: string, named = file): Promise<PluginFile> {
  const facts = await stat(file).catch(() => null);
  if (!facts?.isFile()) throw refused(named, "is not there", "Check the path.");
  if (facts.size > mostBytes) throw refused(named, "is larger than a megabyte", "Put data into files of their own, named by parameters.");
  const bytes = await readBytes(file);
  const imported = importedFile(Buffer.from(bytes).toString("utf8"));
  if (imported !== null)
    throw refused(
      named,
      `imports ${imported}`,
      "Put everything into the one file: what it imports would escape its checksum. node: modules may be imported.",
    );
  return { file, sha256: createHash("sha256").update(bytes).digest("hex") };
}

/** What a module imports apart from `node:` modules, from a search of its text. */
function importedFile(source: string): string | null {
  const code = source.replace(/\/\*[\s\S]*?\*\//g, "").replace(/(^|\s)\/\/.*$/gm, "");
  for (const [, name] of code.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*["']([^"'\n]+)["']/g))
    if (name !== undefined && !name.startsWith("node:")) return name;
  return null;
}

const inside = "Copy the file beside the experiment and name it as ./file.mjs.";
const refused = (named: string, what: string, fix: string): BulwarkError =>
  new BulwarkError("PLUGIN_INVALID", `The plugin ${named} ${what}.`, fix);
