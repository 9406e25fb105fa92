import { cardProgress, requests } from "../../../../shared/protocol.ts";
import type { CardKind } from "./index.ts";

/** Where the model looks, in the clean and the attacked image. */
export const attention: CardKind<"attention"> = {
  async ask({ services, inspected, params, signal, tell }) {
    const token = `${inspected.run}/${inspected.folder}`;
    const request = { ...inspected, iteration: params.iteration, explanation: params.explanation, token };
    const listener = (await services.engine.get()).onProgress(cardProgress, token, tell);
    try {
      return { params, result: await services.engine.request(requests.explainRun, request, signal) };
    } finally {
      listener.dispose();
    }
  },
  pictures: ({ clean, adversarial }) =>
    [clean, adversarial].flatMap((side) => (side ? [side.image, side.map, side.area ?? [], side.superpixels?.file ?? []].flat() : [])),
  again: ({ explanation }) => ({ explanation, iteration: null }),
};
