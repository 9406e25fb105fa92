import { requests } from "../../../../shared/protocol.ts";
import type { CardKind } from "./index.ts";
import { toldOn } from "./progress.ts";

/** Where the model looks along the attack. */
export const sequence: CardKind<"sequence"> = {
  ask: ({ services, inspected, params, signal, tell }) =>
    toldOn(services, inspected, tell, async (token) => {
      const request = { ...inspected, explanation: params.explanation, token };
      return { params, result: await services.engine.request(requests.explainSequence, request, signal) };
    }),
  pictures: ({ points }) => points.map(({ image }) => image),
  // The panel asks when its section is open.
  again: () => undefined,
};
