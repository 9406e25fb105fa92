import { requests } from "../../../../shared/protocol.ts";
import type { CardKind } from "./index.ts";

/** The images through defences in front of the model, which the attack did not know. */
export const defense: CardKind<"defense"> = {
  async ask({ services, inspected, params, signal }) {
    const request = { ...inspected, iteration: params.iteration, chain: params.defenses };
    return { params, result: await services.engine.request(requests.defendRun, request, signal) };
  },
  pictures: ({ clean, adversarial }) =>
    [clean, adversarial].flatMap((side) => (side ? [side.transformed, ...(side.maps ?? []).map(({ file }) => file)] : [])),
  isEmpty: ({ defenses }) => defenses.length === 0,
  again: ({ defenses }) => (defenses.length === 0 ? undefined : { defenses, iteration: null }),
};
