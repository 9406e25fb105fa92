import { existsSync } from "node:fs";
import { parseArgs } from "node:util";
import { withParameters } from "../engine/datasets/resolve.ts";
import { find, registry } from "../engine/registry.ts";
import type { CatalogKind } from "../shared/catalog.ts";
import { BulwarkError } from "../shared/errors.ts";
import { parseFraction } from "../shared/format.ts";
import { suggestion } from "../shared/nearest.ts";
import { takesImages, type VerbName, verbs } from "./usage.ts";

type Value = string | boolean | (string | boolean)[] | undefined;

/** The words after the verb, by the verb's own list of options. */
export class Args {
  readonly positionals: readonly string[];
  readonly #values: Readonly<Record<string, Value>>;
  readonly #verb: VerbName;
  /** Options with a value, in the order in which they were given. */
  readonly #given: readonly { readonly name: string; readonly value: string }[];

  /** @throws USAGE for an option that the verb does not have, or a word too many or too few */
  constructor(verb: VerbName, words: readonly string[]) {
    this.#verb = verb;
    const { options, operands } = verbs[verb];
    try {
      const parsed = parseArgs({ args: [...words], options, allowPositionals: true, strict: true, tokens: true });
      const { images, others } = withImages(parsed.tokens, takesImages(options), operands.length);
      this.#values = { ...(parsed.values as Readonly<Record<string, Value>>), ...(images.length > 0 ? { image: images } : {}) };
      this.positionals = others;
      this.#given = parsed.tokens.flatMap((token) =>
        token.kind === "option" && typeof token.value === "string" ? [{ name: token.name, value: token.value }] : [],
      );
    } catch (thrown) {
      throw this.#refusal(thrown, Object.keys(options));
    }
    const required = operands.filter((word) => !word.startsWith("[")).length;
    if (this.positionals.length < required) throw this.usage(`${verb} needs ${operands[this.positionals.length]}.`);
    if (this.positionals.length > operands.length) throw this.usage(`${verb} does not take "${this.positionals[operands.length]}".`);
  }

  usage(message: string): BulwarkError {
    return new BulwarkError("USAGE", message, `Usage: ${verbs[this.#verb].usage}`);
  }

  /** What Node says of a word that it cannot place, in our words. */
  #refusal(thrown: unknown, known: readonly string[]): BulwarkError {
    const said = thrown instanceof Error ? thrown.message : String(thrown);
    const option = /'(?:-\w, )?--?([^'\s=]+)/.exec(said)?.[1] ?? "";
    if (known.includes(option))
      return this.usage(/does not take an argument/.test(said) ? `--${option} takes no value.` : `--${option} needs a value.`);
    const names = known.map((name) => `--${name}`);
    return new BulwarkError("USAGE", `${this.#verb} has no option --${option}.`, suggestion(`--${option}`, names, "It has"));
  }

  /** Whether the verb has such an option, given or not. */
  has(name: string): boolean {
    return name in verbs[this.#verb].options;
  }

  flag(name: string): boolean {
    return this.#values[name] === true;
  }

  text(name: string): string | undefined {
    const value = this.#values[name];
    return typeof value === "string" ? value : undefined;
  }

  /** The data set that was named, with its parameters; null where none is. @throws USAGE for parameters without a data set */
  dataset(): string | null {
    const [name, settings] = [this.text("dataset"), this.all("dataset-set")];
    const wrong = settings.find((setting) => !/^\w+=/.test(setting));
    if (wrong !== undefined) throw this.usage(`--dataset-set ${wrong} should be key=value.`);
    if (name === undefined && settings.length > 0) throw this.usage("--dataset-set needs --dataset.");
    if (name !== undefined && isPathAlone(name)) {
      const kind = /\.npz$/i.test(name) ? "arrays" : "imageFolder";
      throw new BulwarkError(
        "UNKNOWN_ID",
        `There is no dataset "${name}", but there is a file or folder.`,
        `Name its kind as well: --dataset "${kind}:${name}".`,
      );
    }
    return name === undefined ? null : withParameters(name, settings);
  }

  required(name: string): string {
    const value = this.text(name);
    if (value === undefined) throw this.usage(`--${name} is missing.`);
    return value;
  }

  all(name: string): readonly string[] {
    const value = this.#values[name];
    return Array.isArray(value) ? value.filter((item): item is string => typeof item === "string") : [];
  }

  integer(name: string, least: number): number | undefined {
    const value = this.text(name);
    if (value === undefined) return undefined;
    const number = Number(value);
    if (!/^\d+$/.test(value) || !Number.isSafeInteger(number) || number < least)
      throw this.usage(`--${name} is "${value}" but must be a whole number of at least ${least}.`);
    return number;
  }

  number(name: string): number | undefined {
    const value = this.text(name);
    if (value === undefined) return undefined;
    const number = Number(value);
    if (value.trim() === "" || !Number.isFinite(number)) throw this.usage(`--${name} is "${value}" but must be a number.`);
    return number;
  }

  oneOf<const T extends readonly string[]>(name: string, allowed: T, otherwise: T[number]): T[number] {
    const value = this.text(name) ?? otherwise;
    if (!allowed.includes(value))
      throw new BulwarkError("USAGE", `--${name} is "${value}", which is not known.`, suggestion(value, allowed, "Allowed"));
    return value;
  }

  /**
   * A choice that may be repeated, each followed by its own settings: `--defense medianFilter --defense-set window=5 --defense bitDepth`.
   * @throws USAGE for settings before any choice, UNKNOWN_ID
   */
  chain(kind: CatalogKind): { readonly id: string; readonly params: Record<string, unknown> }[] {
    const chosen: { id: string; settings: string[] }[] = [];
    for (const { name, value } of this.#given) {
      if (name === kind) chosen.push({ id: value, settings: [] });
      else if (name !== `${kind}-set`) continue;
      else if (chosen.length === 0) throw this.usage(`--${kind}-set ${value} comes before any --${kind}.`);
      else chosen.at(-1)?.settings.push(value);
    }
    return chosen.map(({ id, settings }) => ({ id, params: this.#read(settings, kind, id, `${kind}-set`) }));
  }

  /** `--set key=value`, each value read as its parameter's schema says. */
  params(kind: CatalogKind, id: string, name = "set"): Record<string, unknown> {
    return this.#read(this.all(name), kind, id, name);
  }

  #read(words: readonly string[], kind: CatalogKind, id: string, name: string): Record<string, unknown> {
    const { properties } = find(kind, id).params;
    return Object.fromEntries(
      words.map((word) => {
        const [key = "", ...rest] = word.split("=");
        if (rest.length === 0) throw this.usage(`--${name} ${word} should be key=value.`);
        return [key, typed(rest.join("="), properties[key]?.["type"])];
      }),
    );
  }
}

/** What Node's parser says of a word. */
interface Token {
  readonly kind: "option" | "positional" | "option-terminator";
  readonly name?: string;
  readonly value?: string | boolean | undefined;
}

/**
 * `--image a.png b.png`, as a shell makes of `--image *.png`: words right after an image are images too, where the verb takes several. As many
 * words as the verb has operands stay operands.
 */
function withImages(tokens: readonly Token[], isList: boolean, operands: number): { readonly images: string[]; readonly others: string[] } {
  const [images, others]: [string[], string[]] = [[], []];
  let excess = isList ? tokens.filter(({ kind }) => kind === "positional").length - operands : 0;
  let isAfterImage = false;
  for (const { kind, name, value } of tokens) {
    const isWord = kind === "positional";
    isAfterImage = isWord ? isAfterImage && excess > 0 : isList && kind === "option" && name === "image";
    if (isWord && isAfterImage) excess--;
    if (typeof value === "string" && isAfterImage) images.push(value);
    else if (typeof value === "string" && isWord) others.push(value);
  }
  return { images, others };
}

/** Text as a number, truth value or array where the schema wants one; what does not fit is left for the schema to refuse. */
function typed(text: string, type: unknown): unknown {
  if (type === "string") return text;
  if (type === "number" || type === undefined) {
    const fraction = parseFraction(text); // 8/255
    if (fraction !== null) return fraction;
  }
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

/** A path without the kind that belongs before it, as in `imageFolder:photos`. */
const isPathAlone = (name: string): boolean => !name.includes(":") && !registry.dataset.some(({ id }) => id === name) && existsSync(name);
