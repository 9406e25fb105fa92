import { execFile } from "node:child_process";
import Module from "node:module";
import path from "node:path";
import { pathToFileURL } from "node:url";
import type { TObject } from "@sinclair/typebox";
import { BulwarkError } from "../../shared/errors.ts";
import { type Entry, resolveParams } from "../define/index.ts";
import { register } from "../registry.ts";
import { type Plugin, type PluginKind, pluginApi } from "./api.ts";
import { watched } from "./deadline.ts";
import { asPluginError, guarded } from "./guard.ts";
import { locatePlugin, type PluginFile, readPlugin } from "./locate.ts";

/** A plugin whose entries are registered. */
export interface LoadedPlugin extends PluginFile {
  readonly entries: readonly { readonly kind: PluginKind; readonly id: string }[];
}

interface Registered extends LoadedPlugin {
  unregister(): void;
}
const loaded = new Map<string, Registered>();

/**
 * Runs the plugins that an experiment names and registers their entries, for as long as the process lives. One that has not changed since
 * is not run again; one that has takes the place of its earlier self.
 * @param directory of the experiment, which the files lie in
 * @throws PLUGIN_INVALID
 */
export async function usePlugins(names: readonly string[], directory: string): Promise<LoadedPlugin[]> {
  const plugins: LoadedPlugin[] = [];
  for (const name of names) plugins.push(await use(await locatePlugin(name, directory)));
  return plugins;
}

/** One plugin file, wherever it lies: the user has named it. @throws PLUGIN_INVALID */
export const usePlugin = async (file: string): Promise<LoadedPlugin> => use(await readPlugin(path.resolve(file)));

/** The plugins that a run was begun with. @throws PLUGIN_INVALID, RUN_INVALID where one has changed since */
export async function usePluginsOf(run: string, begun: readonly PluginFile[]): Promise<LoadedPlugin[]> {
  const plugins: LoadedPlugin[] = [];
  for (const { file, sha256 } of begun) {
    const now = await readPlugin(file);
    if (now.sha256 !== sha256)
      throw new BulwarkError(
        "RUN_INVALID",
        `The plugin ${file} has changed since ${path.basename(run)} was begun, so the rest would not belong to what is there.`,
        "Put the old plugin back, or start the experiment again.",
      );
    plugins.push(await use(now));
  }
  return plugins;
}

/** Stack frames kept: many frames of tfjs may separate an error from the plugin's line. */
const stackDepth = 60;

async function use(found: PluginFile): Promise<LoadedPlugin> {
  Error.stackTraceLimit = Math.max(Error.stackTraceLimit, stackDepth);
  const before = loaded.get(found.file);
  if (before?.sha256 === found.sha256) return before;
  const made = await entriesOf(found);
  before?.unregister();
  loaded.delete(found.file);
  const undo: (() => void)[] = [];
  try {
    for (const { kind, entry } of made) undo.push(register(kind, guarded(entry, kind, found.file) as never));
  } catch (thrown) {
    for (const one of undo) one();
    const taken = thrown instanceof BulwarkError ? thrown.message : String(thrown);
    throw invalid(found.file, taken.replace(/\.$/, ""), "Give the entry another id.");
  }
  const entries = made.map(({ kind, entry }) => ({ kind, id: entry.id }));
  const unregister = (): void => {
    for (const one of undo) one();
  };
  const plugin = { ...found, entries, unregister };
  loaded.set(found.file, plugin);
  return plugin;
}

/** What Node says of a module that it cannot parse, with its line, which the error of an import leaves out. */
const syntaxOf = (file: string): Promise<string> =>
  new Promise((resolve) => {
    execFile(process.execPath, ["--check", file], { timeout: 20_000 }, (_, _stdout, stderr) => resolve(stderr));
  });

interface Compiling {
  readonly exports: unknown;
  _compile(source: string, file: string): void;
}

/** `import()` of Node itself, compiled by Node: the bundle would make a `require` of it, which cannot load modules in every version of Node. */
function importModule(url: string): Promise<{ readonly default?: unknown }> {
  const module = new Module("bulwark-plugins") as unknown as Compiling;
  module._compile("module.exports = (url) => import(url);", path.join(process.cwd(), "bulwark-plugins.cjs"));
  return (module.exports as typeof importModule)(url);
}

interface Made {
  readonly kind: PluginKind;
  readonly entry: Entry;
}

async function entriesOf({ file, sha256 }: PluginFile): Promise<Made[]> {
  const { api, kindOf } = pluginApi();
  const given = await exported(file, sha256, api);
  const list: readonly unknown[] = Array.isArray(given) ? given : [given];
  if (list.length === 0) throw invalid(file, "adds nothing", "Return what defineAttack, defineInferenceDefense or defineDataset gave.");
  return list.map((entry, i) => {
    const kind = kindOf(entry);
    if (!kind)
      throw invalid(
        file,
        list.length > 1 ? `entry ${i + 1} was not made with a define function` : "returns no entry",
        "Return what defineAttack, defineInferenceDefense or defineDataset gave, or a list of those.",
      );
    checkEntry(entry as Entry, kind, file);
    return { kind, entry: entry as Entry };
  });
}

const exported = (file: string, sha256: string, api: Parameters<Plugin>[0]): Promise<unknown> =>
  watched(file, () => importedFrom(file, sha256, api));

async function importedFrom(file: string, sha256: string, api: Parameters<Plugin>[0]): Promise<unknown> {
  try {
    const { default: plugin } = await importModule(`${pathToFileURL(file).href}?${sha256}`);
    if (typeof plugin !== "function")
      throw invalid(
        file,
        "has no function as its default export",
        "Write `export default ({ defineAttack, Type, tf }) => defineAttack({ … })`.",
      );
    return await (plugin as Plugin)(api);
  } catch (thrown) {
    if (thrown instanceof SyntaxError) thrown.stack = `${await syntaxOf(file)}\n${thrown.stack ?? ""}`;
    throw asPluginError(thrown, file, "cannot be loaded", "PLUGIN_INVALID");
  }
}

const functionsOf: Readonly<Record<PluginKind, readonly string[]>> = {
  attack: ["ball", "run"],
  defense: ["backward", "transform"],
  dataset: ["load"],
};
const accesses = ["gradients", "scores", "labels"];

/** Checks at run time what the types check for authors who use them. */
function checkEntry(entry: Entry, kind: PluginKind, file: string): void {
  const fields = entry as unknown as Readonly<Record<string, unknown>>;
  const wrong = (what: string, fix: string): BulwarkError => invalid(file, `${kind} ${String(entry.id)}: ${what}`, fix);
  if (typeof entry.id !== "string" || !/^[a-z][A-Za-z0-9]*$/.test(entry.id))
    throw wrong("its id is no name", 'Choose letters and digits, the first a small letter: id: "myAttack".');
  if (typeof entry.title !== "string" || entry.title.trim() === "")
    throw wrong("it has no title", 'Add what people call it: title: "My attack".');
  if ((entry.params as Partial<TObject> | undefined)?.type !== "object" || !entry.params.properties)
    throw wrong(
      "its params are no Type.Object",
      'Write params: Type.Object({ eps: num(8 / 255, "Radius.") }), or Type.Object({}) for none.',
    );
  for (const name of functionsOf[kind])
    if (typeof fields[name] !== "function") throw wrong(`${name} is no function`, `Add ${name}, as the guide to plugins shows.`);
  if (kind === "attack" && !accesses.includes(String(fields["access"])))
    throw wrong("access is missing", 'Say what it sees of a model: access: "gradients", "scores" or "labels".');
  if (kind === "attack" && typeof fields["iterative"] !== "boolean")
    throw wrong("iterative is missing", "Say whether it takes more than one step: iterative: true or false.");
  const needed = (entry.params.required ?? []).filter((name) => entry.params.properties[name]?.["default"] === undefined);
  if (needed.length > 0 && kind !== "dataset")
    throw wrong(`${needed.join(", ")} has no default`, "Give every parameter a default with num, int, bool, text or choice.");
  try {
    if (needed.length === 0) resolveParams(entry.params, {}, entry.id);
  } catch (thrown) {
    throw wrong(`its defaults are refused: ${(thrown as Error).message.replace(/\.$/, "")}`, "Correct them.");
  }
}

const invalid = (file: string, what: string, fix: string): BulwarkError =>
  new BulwarkError("PLUGIN_INVALID", `${path.basename(file)}: ${what}.`, fix);
