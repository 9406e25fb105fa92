import type { FitRule } from "../../shared/fit.ts";
import type { AttackImageParams } from "../../shared/protocol.ts";
import type { Choice } from "../../shared/results.ts";
import type { Engine } from "../session/engine.ts";

/** What the attack used, as it came out: nothing of it is looked up again by the command. */
interface Used {
  readonly attack: Choice;
  /** Words for the true class; null where the model's own prediction was attacked. */
  readonly label: string | null;
  /** How the picture was fitted; null where it has the model's size. */
  readonly fit: FitRule | null;
  /** As the engine was asked for them: "auto" finds the same ones again. */
  readonly compute: Engine["asked"];
}

/** The same attack as a command for a terminal. Range, channel order and class names are in the contract beside the model for both. */
export function commandLine(p: AttackImageParams, { attack, label, fit, compute }: Used): string {
  const words = ["bulwark", "attack", "--model", p.model, "--image", p.image, "--attack", attack.id, ...settings("--set", attack)];
  const picture = [...labelWords(label), ...(fit === null ? [] : ["--fit", fit])];
  const front = (p.defenses ?? []).flatMap((defense) => ["--defense", defense.id, ...settings("--defense-set", defense)]);
  const on = Object.entries(compute).flatMap(([name, value]) => (value === "auto" ? [] : [`--${name}`, value]));
  return [...words, ...picture, ...front, ...on, "--seed", String(p.seed)].map(quoted).join(" ");
}

/** A name may begin with a dash. */
const labelWords = (label: string | null): string[] => [label === null ? "--no-label" : `--label=${label}`];

/** The same command with another label. */
export const withLabel = (command: string, label: string | null): string =>
  command.replace(/ (?:--no-label|--label=[^\s']+|'--label=(?:[^']|'\\'')*')(?= )/, () => ` ${labelWords(label).map(quoted).join(" ")}`);

const settings = (flag: string, { params }: Choice): string[] =>
  Object.entries(params).flatMap(([key, value]) => [flag, `${key}=${typeof value === "string" ? value : JSON.stringify(value)}`]);

const quoted = (word: string): string => (/^[A-Za-z0-9_./:=,@%+-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`);
