import { type Context, shownOf } from "./model.ts";

/** The scrubber has stopped when it has not moved for so long: only then a card is asked for another iteration. */
const pauseMilliseconds = 250;

/** Iteration that is on show; null for the result, and where nothing was attacked. */
export const iterationOf = ({ state, local }: Context): number | null => (state.result ? shownOf(state, local.scrub).iteration : null);

/** Whether a card's images are those of another iteration than the one on show. */
export function isOfOther(id: "attention" | "detection", context: Context): boolean {
  const card = context.state.cards[id];
  return card !== undefined && context.state.result !== null && card.params.iteration !== iterationOf(context);
}

/**
 * Asks a card for the iteration where scrubbing pauses; says whether what it shows is about to be replaced.
 * @param follows whether the card follows by itself
 */
export function follower(
  id: "attention" | "detection",
  ask: (iteration: number | null) => void,
  follows: () => boolean = () => true,
): (context: Context) => boolean {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let waiting: number | null | undefined;
  return (context) => {
    const wanted = iterationOf(context);
    const isOther = isOfOther(id, context) && follows();
    if (!isOther) {
      clearTimeout(timer);
      waiting = undefined;
    } else if (waiting !== wanted) {
      clearTimeout(timer);
      waiting = wanted;
      timer = setTimeout(() => ask(wanted), pauseMilliseconds);
    }
    return isOther || context.state.cards[id]?.status === "running";
  };
}
