/**
 * Lines of a Markdown file. Nothing but `md` makes one, and it escapes every text that it is given: a text of an experiment is never taken
 * for markup, a link or another cell of a table, and using one as a line is a type error.
 */
export class Line {
  readonly #text: string;
  private constructor(text: string) {
    this.#text = text;
  }
  get text(): string {
    return this.#text;
  }

  static md(parts: TemplateStringsArray, ...values: readonly (Line | string)[]): Line {
    return new Line(
      parts
        .map((part, i) => part + (i < values.length ? inside(values[i] as Line | string, i === 0 && /^(- )?$/.test(part)) : ""))
        .join(""),
    );
  }

  /** A row of a table. */
  static row(cells: readonly (Line | string)[]): Line {
    return new Line(`| ${cells.map((cell) => inside(cell, false)).join(" | ")} |`);
  }
}

const inside = (value: Line | string, isFirst: boolean): string => (value instanceof Line ? value.text : escaped(value, isFirst));

/**
 * Only what means something where it stands, so that the file can be read as it is. "://", "www." and "@" would become links on their own;
 * a sign at the start of a line would make a heading, a list or a quotation.
 */
function escaped(text: string, isFirst: boolean): string {
  const inLine = text
    .replace(/\s*[\r\n]+\s*/g, " ")
    .replace(/[\\`*[\]<|~]/g, "\\$&")
    .replace(/(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])/gu, "\\_")
    .replace(/&(?=#?\w+;)/g, "\\&")
    .replace(/:(?=\/\/)/g, "\\:")
    .replace(/\bwww\./gi, (www) => `${www.slice(0, -1)}\\.`)
    .replace(/@(?=\w)/g, "\\@");
  return isFirst ? inLine.replace(/^(\s*)([#>+=-]|\d+(?=[.)]))/, startEscaped) : inLine;
}

const startEscaped = (_: string, space: string, sign: string): string => (/^\d/.test(sign) ? `${space}${sign}\\` : `${space}\\${sign}`);

export const md = Line.md;
export const row = Line.row;
