/** Exactly one JSON document. */
export const printJson = (value: unknown): void => void process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
export const printText = (text: string): void => void process.stdout.write(`${text}\n`);

/** Images shown line by line on the terminal; all are in the JSON. */
export const linesShown = 20;

/** Columns as wide as their widest cell; a longer head takes several lines; numbers are set to the right. */
export function tableText(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const widest = (cells: readonly string[]): number => Math.max(0, ...cells.map((cell) => cell.length));
  const wrapped = heads.map((head, i) => wrapHead(head, widest(rows.map((row) => row[i] ?? ""))));
  const widths = heads.map((_, i) => widest([...(wrapped[i] ?? []), ...rows.map((row) => row[i] ?? "")]));
  const isNumber = heads.map((_, i) => rows.every((row) => /^[−–-]?$|^[−-]?[\d.]/.test(row[i] ?? "")));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, i) => (isNumber[i] ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0)))
      .join("  ")
      .trimEnd();
  const tallest = Math.max(...wrapped.map((lines) => lines.length));
  const headLines = Array.from({ length: tallest }, (_, row) => line(wrapped.map((lines) => lines[row - tallest + lines.length] ?? "")));
  return [...headLines, line(widths.map((width) => "─".repeat(width))), ...rows.map(line)].join("\n");
}

/** The words of a head in lines no wider than the cells below it, or than its own longest word. */
function wrapHead(head: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of head.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= Math.max(width, 8)) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}
