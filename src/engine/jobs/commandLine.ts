import type { AttackImageParams } from "../../shared/protocol.ts";
import type { Choice } from "../../shared/results.ts";

/** The same attack as a command for a terminal. */
export function commandLine(p: AttackImageParams, attack: Choice): string {
  const words = ["bulwark", "attack", "--model", p.model, "--image", p.image, "--attack", attack.id, ...settings("--set", attack)];
  const front = (p.defenses ?? []).flatMap((defense) => ["--defense", defense.id, ...settings("--defense-set", defense)]);
  return [...words, ...front, "--seed", String(p.seed)].map(quoted).join(" ");
}

const settings = (flag: string, { params }: Choice): string[] =>
  Object.entries(params).flatMap(([key, value]) => [flag, `${key}=${typeof value === "string" ? value : JSON.stringify(value)}`]);

const quoted = (word: string): string => (/^[A-Za-z0-9_./:=,@%+-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`);
