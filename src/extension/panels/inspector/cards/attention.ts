import { requests } from "../../../../shared/protocol.ts";
import type { CardKind } from "./index.ts";

/** Where the model looks, in the clean and the attacked image. */
export const attention: CardKind<"attention"> = {
  async ask({ services, inspected, params, signal }) {
    const request = { ...inspected, iteration: params.iteration, explanation: params.explanation };
    return { params, result: await services.engine.request(requests.explainRun, request, signal) };
  },
  pictures: ({ clean, adversarial }) => [clean, adversarial].flatMap((side) => (side ? [side.image, side.map] : [])),
  again: ({ explanation }) => ({ explanation, iteration: null }),
};
