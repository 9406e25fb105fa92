import type { RunEvidence } from "./evidence.ts";
import type { Rule } from "./rule.ts";

/** Devices that failed while the run went on; resumed runs included. */
export const rb507: Rule<RunEvidence> = {
  id: "RB507",
  check: ({ deviceFailures }) =>
    deviceFailures.map((message) => ({
      message,
      fix: 'The result is complete. Choose a smaller "batchSize", or --device cpu, for the next run.',
    })),
};
