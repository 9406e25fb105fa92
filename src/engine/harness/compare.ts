import type { Finding } from "../../shared/results.ts";
import { rb301 } from "../rules/rb301.ts";
import { rb303 } from "../rules/rb303.ts";
import type { ComparedAttack } from "./types.ts";

/** Rules that compare attacks of one arm on the same images (RB3xx); every pair is looked at once. */
export function compareFindings(attacks: readonly ComparedAttack[]): Finding[] {
  const findings: (Finding | null)[] = [];
  attacks.forEach((a, i) => {
    for (const b of attacks.slice(i + 1)) findings.push(rb301(a, b) ?? rb301(b, a), rb303(a, b));
  });
  return findings.filter((finding) => finding !== null);
}
