import { requests } from "../../../../shared/protocol.ts";
import type { CardKind } from "./index.ts";
import { toldOn } from "./progress.ts";

/** Where the model looks, in the clean and the attacked image. */
export const attention: CardKind<"attention"> = {
  ask: ({ services, inspected, params, signal, tell }) =>
    toldOn(services, inspected, tell, async (token) => {
      const request = { ...inspected, iteration: params.iteration, explanation: params.explanation, token };
      return { params, result: await services.engine.request(requests.explainRun, request, signal) };
    }),
  pictures: ({ clean, adversarial }) =>
    [clean, adversarial].flatMap((side) => (side ? [side.image, side.map, side.area ?? [], side.superpixels?.file ?? []].flat() : [])),
  again: ({ explanation }) => ({ explanation, iteration: null }),
};
