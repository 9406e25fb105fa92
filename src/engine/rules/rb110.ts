import type { Finding } from "../../shared/results.ts";

const shown = 4;

/** RB110: the network that was trained is not quite the one that the experiment names, as a conversion to 3-D found. */
export function rb110(notes: readonly string[]): Finding | null {
  if (notes.length === 0) return null;
  const more = notes.length - shown;
  const rest = more > 0 ? ` And ${more} more of the kind.` : "";
  return {
    rule: "RB110",
    severity: "info",
    message: `The trained network departs from the named one. ${notes.slice(0, shown).join(" ")}${rest}`,
    fix: "Take it into account when comparing, or use larger patches.",
  };
}
