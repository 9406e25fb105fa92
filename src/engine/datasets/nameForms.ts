import { nearest } from "../../shared/nearest.ts";

/** Forms under which names are compared, the strictest first; a looser one counts only where it is the same for one class alone. */
const forms: readonly ((name: string) => readonly string[])[] = [
  (name) => [exact(name)],
  (name) => [exact(name).toLowerCase()],
  (name) => [plain(name)],
  (name) => name.split(",").map(plain), // "tench, Tinca tinca"
  (name) => [plain(name.replace(/\([^)]*\)\s*$/, ""))], // "crane (bird)"
  (name) => [plain(name.replace(/^(n\d{8}|\d+)[-_. ]+/, ""))], // "n02123045-tabby", "497_church"
];
export const exact = (name: string): string => name.normalize("NFC").trim();
/** Letters and digits alone: folders cannot be called "T-shirt/top". */
const plain = (name: string): string =>
  exact(name)
    .toLowerCase()
    .replace(/[^\p{L}\p{M}\p{N}]+/gu, " ")
    .trim();

/** Looks up which of `names` is meant by a name, in every form in turn; undefined where none is, or it is not certain which. */
export function nameFinder(names: readonly string[]): (name: string) => number | undefined {
  const tables = forms.map((form) => uniqueNames(names, form));
  return (name) => tables.map((table, i) => lookUp(table, forms[i]?.(name) ?? [])).find((match) => match !== undefined);
}

/** Class by name; a name of several classes stands for none. */
function uniqueNames(names: readonly string[], form: (name: string) => readonly string[]): Map<string, number> {
  const table = new Map<string, number>();
  const repeated = new Set<string>();
  for (const [i, name] of names.entries())
    for (const written of new Set(form(name))) {
      if (table.has(written)) repeated.add(written);
      table.set(written, i);
    }
  for (const name of repeated) table.delete(name);
  return table;
}

/** Undefined where no form is in the table, or where they lead to different classes. */
function lookUp(table: ReadonlyMap<string, number>, written: readonly string[]): number | undefined {
  const found = new Set(written.flatMap((name) => table.get(name) ?? []));
  return found.size === 1 ? [...found][0] : undefined;
}

/** Up to three of the model's classes that may be meant: spelt alike, or with a word in common. */
export function similarNames(wanted: string, known: readonly string[]): string[] {
  const spelt = nearest(wanted, known);
  const words = plain(wanted)
    .split(" ")
    .filter((word) => word.length > 2);
  const shared = known.filter((name) =>
    plain(name)
      .split(" ")
      .some((word) => words.includes(word)),
  );
  return [...new Set([...(spelt === undefined ? [] : [spelt]), ...shared])].slice(0, 3);
}
