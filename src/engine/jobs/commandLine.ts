import type { AttackImageParams } from "../../shared/protocol.ts";
import type { Choice } from "../../shared/results.ts";

/** The same attack as a command for a terminal. */
export function commandLine(p: AttackImageParams, attack: Choice): string {
  const settings = Object.entries(attack.params).flatMap(([key, value]) => [
    "--set",
    `${key}=${typeof value === "string" ? value : JSON.stringify(value)}`,
  ]);
  const words = ["bulwark", "attack", "--model", p.model, "--image", p.image, "--attack", attack.id, ...settings, "--seed", String(p.seed)];
  return words.map(quoted).join(" ");
}

const quoted = (word: string): string => (/^[A-Za-z0-9_./:=,@%+-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`);
