import type { CardState, RankingParams } from "../../../src/shared/cards.ts";
import { usualCut } from "../../../src/shared/slices.ts";
import { cutProblem, type ImageSize } from "./slices.ts";

/** How an image is cut and ordered, with a size. */
export type RankingSettings = RankingParams & { readonly patch: number };
type RankingState = CardState<"ranking"> | undefined;

/** The settings of a request; null where the size was left to the engine and has not come back. */
export const settingsOf = (state: RankingState): RankingSettings | null => {
  const params = state?.params;
  return params && params.patch !== "auto" ? { ...params, patch: params.patch } : null;
};

/** The paper's settings, with slices that divide the image. */
export const paperSettings = (size: ImageSize): RankingSettings => ({
  ...usualCut(...size),
  measure: "mutualInformation",
  order: "asc",
  reference: "mostSalient",
});

const same = (a: RankingSettings | null, b: RankingSettings | null): boolean => JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));
const sorted = (s: RankingSettings | null) => s && [s.patch, s.measure, s.order, s.reference, s.onRemainder];

/** What the person wants, and the one request that is under way: while a slider is dragged only the newest wish follows. */
export interface Flow {
  wish: RankingSettings | null;
  asked: RankingSettings | null;
}

/** Takes in what the host says: settings that this panel did not ask for (a command did) become the wish; a new attack has no ranking yet. */
export function follow(flow: Flow, state: RankingState, isAttacking: boolean): void {
  if (!state && isAttacking) flow.asked = null;
  const settings = settingsOf(state);
  if (!settings || same(settings, flow.asked)) return;
  flow.wish = settings;
  flow.asked = settings;
}

/** The request to send now; null while one is under way, where the wish cannot be cut, or where it is already shown. */
export function nextRequest(flow: Flow, state: RankingState, size: ImageSize | null): RankingSettings | null {
  const { wish } = flow;
  if (!wish || !size || state?.status === "running" || cutProblem(wish, size)) return null;
  return same(wish, flow.asked) ? null : wish;
}
