import { requests } from "../../../../shared/protocol.ts";
import type { CardKind } from "./index.ts";
import { toldOn } from "./progress.ts";

/** What a detector says of the clean and of the attacked image. */
export const detection: CardKind<"detection"> = {
  ask: ({ services, inspected, params, signal, tell }) =>
    toldOn(services, inspected, tell, async (token) => {
      const request = { ...inspected, iteration: params.iteration, detector: params.detector, token };
      return { params, result: await services.engine.request(requests.detectRun, request, signal) };
    }),
  pictures: ({ clean, adversarial }) =>
    [clean, adversarial].flatMap((side) => (side ? [side.image, ...side.units.flatMap(({ map }) => map ?? [])] : [])),
  again: (params) => ({ ...params, iteration: null }),
  readBy: ["threshold"],
};
