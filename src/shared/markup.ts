/**
 * Markup as text, for Node and browser: no DOM is needed. Nothing but `html` and `el` makes it, and both escape every text that they are
 * given; so text from a file is never taken for markup, and using a plain string as markup is a type error.
 */
export class Markup {
  readonly #text: string;
  private constructor(text: string) {
    this.#text = text;
  }

  /** What is written into a file or parsed by a browser. */
  get text(): string {
    return this.#text;
  }

  static html(parts: TemplateStringsArray, ...values: readonly Inside[]): Markup {
    return new Markup(parts.map((part, i) => part + (i < values.length ? inside(values[i] as Inside) : "")).join(""));
  }

  static el(name: string, attributes: Attributes, ...children: readonly (Markup | string)[]): Markup {
    const written = Object.entries(attributes).flatMap(([key, value]) =>
      value === undefined ? [] : [` ${key}="${typeof value === "number" ? px(value) : escaped(value)}"`],
    );
    const body = children.map(inside).join("");
    return new Markup(body === "" ? `<${name}${written.join("")}/>` : `<${name}${written.join("")}>${body}</${name}>`);
  }
}

/** A list is of markup alone: texts that are to be joined say by what. */
type Inside = Markup | string | number | readonly Markup[];
type Attributes = Readonly<Record<string, string | number | undefined>>;

const escaped = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;").replaceAll("'", "&#39;");

function inside(value: Inside): string {
  if (value instanceof Markup) return value.text;
  return Array.isArray(value) ? value.map(inside).join("") : escaped(String(value)); // also what a damaged file has in place of a text
}

/** html`<p>${text}</p>`: texts and numbers are escaped, markup and lists of it stand as they are. Attributes belong in quotes. */
export const html = Markup.html;

/** `<name …>children</name>`; numbers keep one decimal, which is a tenth of a pixel. Children that are texts are escaped. */
export const el = Markup.el;

export const nothing: Markup = html``;

export const px = (value: number): string => String(Number(value.toFixed(1)));

/** A name that a browser shows on hover and that assistive technology reads. */
export const tooltip = (text: string): Markup => (text === "" ? nothing : el("title", {}, text));
