/** Names of classes and files are compared in one normal form: "é" as one character and as "e" with an accent are the same. */
export const normalName = (name: string): string => name.normalize("NFC").trim();

/** Up to five names, and how many more there are. */
export function listed(names: readonly string[], most = 5): string {
  const rest = names.length - most;
  return `${names.slice(0, most).join(", ")}${rest > 0 ? ` and ${rest} more` : ""}`;
}

/** The first name that is there twice, in its normal form; undefined where all differ. */
export function repeated(names: readonly string[]): string | undefined {
  const seen = new Set<string>();
  return names.map(normalName).find((name) => seen.size === seen.add(name).size);
}
