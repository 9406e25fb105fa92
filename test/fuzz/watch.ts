// What the process reads and writes by Node's file functions, to notice what lies outside of where it may.
import fs from "node:fs";
import path from "node:path";

const watched = ["readFile", "open", "writeFile", "rename", "mkdir", "appendFile", "rm", "readdir", "createReadStream"] as const;
/** Programs and their libraries, and what the system says of itself. */
const ofTheSystem = /node_modules|^\/(proc|sys|usr|lib|lib64)\/|^\/dev\/null$|^\/etc\/(localtime|ld\.so)/;

export interface Watch {
  /** Real paths outside of `inside` that were touched since the last call. */
  taken(): string[];
}

/** @param inside folders that may be touched */
export function watchFiles(inside: readonly string[]): Watch {
  const outside = new Set<string>();
  const note = (given: unknown): void => {
    if (typeof given !== "string" && !(given instanceof URL)) return;
    const file = path.resolve(given instanceof URL ? given.pathname : given);
    const real = realPath(file);
    if (!inside.some((folder) => real.startsWith(folder)) && !ofTheSystem.test(real)) outside.add(real);
  };
  for (const owner of [fs, fs.promises] as unknown as Record<string, (...words: unknown[]) => unknown>[])
    for (const name of watched.flatMap((one) => [one, `${one}Sync`])) {
      const original = owner[name];
      if (!original) continue;
      owner[name] = function (this: unknown, ...words: unknown[]) {
        note(words[0]);
        return original.apply(this, words);
      };
    }
  return {
    taken() {
      const found = [...outside];
      outside.clear();
      return found;
    },
  };
}

/** Links followed as far as there is something; a NUL leads nowhere. */
function realPath(file: string): string {
  try {
    return fs.realpathSync.native(file);
  } catch {
    return file;
  }
}
