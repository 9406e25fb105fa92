import type { ArmEvidence } from "./evidence.ts";
import type { Rule } from "./rule.ts";

/** Sentences that are quoted; the others are counted. */
const quoted = 4;

/** The network that was trained is not quite the one that the experiment names, as a conversion to 3-D found. */
export const rb110: Rule<ArmEvidence> = {
  id: "RB110",
  check({ departures }) {
    if (departures.length === 0) return null;
    const more = departures.length - quoted;
    const rest = more > 0 ? ` And ${more} more like ${more === 1 ? "it" : "them"}.` : "";
    return {
      message: `The trained network departs from the named one. ${departures.slice(0, quoted).join(" ")}${rest}`,
      fix: 'Take this into account when comparing. Where slices are too small, use larger ones ("patch").',
    };
  },
};
