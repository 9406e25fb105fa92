import { existsSync } from "node:fs";
import path from "node:path";
import { BulwarkError } from "../../../shared/errors.ts";
import { listed, normalName } from "./names.ts";
import { isNoPicture } from "./pictureNames.ts";
import { type Tree, treeOf } from "./walk.ts";

/** Finds the files that a label file names, however it writes them. */
export interface Finder {
  /** All that was looked through. */
  readonly tree: Tree;
  /** How a cell names a file: in full, without its ending, or not at all. */
  namesFile(cell: string): "whole" | "stem" | null;
  /** The file; undefined where there is none. @throws DATASET_INVALID where there are several */
  find(cell: string): string | undefined;
}

/**
 * Looks at the names in and below `root` once. A name is relative to `root`, with "/" or "\", with or without its ending; a bare name may
 * lie in any folder below. Names are compared in one normal form.
 */
export async function openFinder(root: string): Promise<Finder> {
  const [whole, stems, bare, bareStems] = Array.from({ length: 4 }, () => new Map<string, string[]>()) as [Files, Files, Files, Files];
  const tree = await treeOf(root);
  for (const file of tree.files) {
    const name = normalName(file);
    add(whole, name, file);
    if (isNoPicture(file)) continue;
    add(stems, withoutEnding(name), file);
    add(bare, path.posix.basename(name), file);
    add(bareStems, withoutEnding(path.posix.basename(name)), file);
  }
  const candidates = (cell: string): { kind: "whole" | "stem"; files: readonly string[] } | null => {
    const name = relativeName(cell, root);
    const isBare = !name.includes("/");
    const full = whole.get(name) ?? (isBare ? bare.get(name) : undefined) ?? outside(name, root);
    if (full) return { kind: "whole", files: full };
    const short = stems.get(name) ?? (isBare ? bareStems.get(name) : undefined);
    return short ? { kind: "stem", files: short } : null;
  };
  return {
    tree,
    namesFile: (cell) => (cell === "" ? null : (candidates(cell)?.kind ?? null)),
    find(cell) {
      const files = candidates(cell)?.files ?? [];
      if (files.length > 1)
        throw new BulwarkError(
          "DATASET_INVALID",
          `"${cell}" may be any of ${listed(files)}.`,
          "Write the name with its folder and ending.",
        );
      return files[0] === undefined ? undefined : path.resolve(root, files[0]);
    },
  };
}

type Files = Map<string, string[]>;

function add(files: Files, name: string, file: string): void {
  const known = files.get(name);
  if (known) known.push(file);
  else files.set(name, [file]);
}

const withoutEnding = (name: string): string => name.replace(/\.[^./]*$/, "");

/** "./cat\1.png" → "cat/1.png"; the folder's own name in front is left out. */
function relativeName(cell: string, root: string): string {
  const name = path.posix.normalize(normalName(cell).replaceAll("\\", "/"));
  const own = `${normalName(path.basename(root))}/`;
  return name.startsWith(own) && !existsSync(path.join(root, name)) ? name.slice(own.length) : name;
}

/** Files that do not lie in the folder, named from the root of the disk or with "..". */
const outside = (name: string, root: string): string[] | undefined =>
  (path.isAbsolute(name) || name.startsWith("../")) && existsSync(path.resolve(root, name)) ? [name] : undefined;
