import type { ModelEvidence, OutputsByValue } from "./evidence.ts";
import type { Raised, Rule } from "./rule.ts";

const save = "ave the model without its last activation, so that attacks see the scores before it.";
const fix = `S${save}`;

const stated = '{"input": {}, "output": {"kind": "probabilities"}}';

/** The network ends in a softmax that cannot be taken off, or in an activation that keeps its scores in a range. */
export const rb102: Rule<ModelEvidence> = {
  id: "RB102",
  check({ outputs, bounded, byValue, contractFile }): Raised | null {
    if (byValue) return ofValues(byValue, contractFile);
    if (outputs === "probabilities")
      return { message: "The model gives probabilities and its softmax cannot be taken off; attacks use log-probabilities.", fix };
    if (bounded === null) return null;
    return { message: `The model ends in ${bounded}, which bounds its scores: attacks have no gradient where it saturates.`, fix };
  },
};

function ofValues({ kind, most }: OutputsByValue, contractFile: string): Raised {
  const statement = `state it in the input contract beside the model, ${contractFile}: ${stated}`;
  if (kind === "all")
    return {
      message: `The outputs are not negative and sum to ${most} on every input: they are taken as probabilities, and attacks use their logarithms.`,
      fix: `S${statement.slice(1)}. Better: s${save}`,
    };
  if (kind === "some")
    return {
      message: `The outputs lie between 0 and ${most} and never sum to more than ${most}, yet they are taken as logits: confidences and attacks are wrong if they are probabilities.`,
      fix: `If they are, ${statement}; if not, "kind": "logits".`,
    };
  return {
    message: `Each output lies between 0 and ${most} on every input, as behind a sigmoid, and they are taken as logits: attacks have next to no gradient where it saturates.`,
    fix: `S${save} If they are scores by themselves, state "kind": "logits" in ${contractFile}.`,
  };
}
