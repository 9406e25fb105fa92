import { nearest } from "../../shared/nearest.ts";

/** How a name is written on either side; every form is compared with the same one of the other side. */
interface Form {
  readonly ofModel: (name: string) => readonly string[];
  readonly ofData: (name: string) => readonly string[];
}
const both = (form: (name: string) => readonly string[]): Form => ({ ofModel: form, ofData: form });

/** The strictest first; a looser one counts only where it is the same for one class alone. */
const forms: readonly Form[] = [
  both((name) => [exact(name)]),
  both((name) => [exact(name).toLowerCase()]),
  both((name) => [plain(name)]),
  both((name) => name.split(",").map(plain)), // "tench, Tinca tinca"
  // "n02123045-tabby", "497_church": folders alone are numbered so, and a number that both sides had would have to be the same
  { ofModel: (name) => [plain(name)], ofData: (name) => [plain(name.replace(numbering, ""))] },
];
const numbering = /^(n\d{8}[-_. ]+|\d+[-_.]+(?=\p{L}))/u;
export const exact = (name: string): string => name.normalize("NFC").trim();
/** Without what separates words or cannot stand in a file's name: "T-shirt/top". Other signs tell classes apart, such as "c" and "c++". */
const plain = (name: string): string =>
  exact(name)
    .toLowerCase()
    .replace(/[\s_\-/\\:*?"<>|]+/g, " ")
    .trim();

/** Looks up which of `names` is meant by a name, in every form in turn; undefined where none is, or it is not certain which. */
export function nameFinder(names: readonly string[]): (name: string) => number | undefined {
  const tables = forms.map(({ ofModel }) => uniqueNames(names, ofModel));
  return (name) => tables.map((table, i) => lookUp(table, forms[i]?.ofData(name) ?? [])).find((match) => match !== undefined);
}

/** Class by name; a name of several classes stands for none. */
function uniqueNames(names: readonly string[], form: (name: string) => readonly string[]): Map<string, number> {
  const table = new Map<string, number>();
  const repeated = new Set<string>();
  for (const [i, name] of names.entries())
    for (const written of new Set(form(name).filter((one) => one !== ""))) {
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
  const words = wordsOf(wanted).filter((word) => word.length > 2);
  const shared = known.filter((name) => wordsOf(name).some((word) => words.includes(word)));
  return [...new Set([...(spelt === undefined ? [] : [spelt]), ...shared])].slice(0, 3);
}

const wordsOf = (name: string): string[] => plain(name).split(/[^\p{L}\p{M}\p{N}]+/u);
