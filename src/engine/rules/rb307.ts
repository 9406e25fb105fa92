import type { Finding, ImageRecord } from "../../shared/results.ts";
import { weakerWins } from "../metrics/statistics.ts";
import { brokenByOnlyOne } from "./paired.ts";
import { images } from "./words.ts";

/** RB307: images made for the undefended model break significantly more than the attack that knows the defence; paired. */
export function rb307(adaptive: readonly ImageRecord[], transferred: readonly ImageRecord[]): Finding | null {
  const { onlyA, onlyB } = brokenByOnlyOne(transferred, adaptive);
  if (!weakerWins(onlyA, onlyB)) return null;
  return {
    rule: "RB307",
    severity: "warning",
    message: `Suspicious because the attack that knows the defence is the weaker one: ${images(onlyA)} fall to images made for the undefended model alone, ${onlyB} to the adaptive attack alone.`,
    fix: "Give the adaptive attack more steps or queries, and count an image as broken when either breaks it.",
  };
}
