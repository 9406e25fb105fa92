import { probability } from "../../../src/shared/format.ts";
import type { TracePoint } from "../../../src/shared/protocol.ts";
import { fill, h, onChange, type Part, setText, show } from "../../lib/dom.ts";
import { button, slider } from "../../lib/ui.ts";
import {
  type Context,
  iterationText,
  type KeptPoint,
  keptOf,
  lastPlace,
  nearestKept,
  placeText,
  shownOf,
  traceOf,
  verdict,
} from "../model.ts";
import { sparkline } from "./sparkline.ts";

/**
 * Steps through the iterations that were kept: a slider, two buttons, and the probabilities of all iterations as a small chart to click
 * into. Whatever is shown of the attacked image is of the iteration that is chosen here.
 */
export function scrubber(): Part<Context> {
  let context: Context | null = null;
  const kept = (): readonly KeptPoint[] => (context ? keptOf(context.state) : []);
  const go = (place: number): void => {
    const all = kept();
    const to = Math.min(Math.max(place, 0), all.length - 1);
    // The last one is the result, or where the attack is.
    context?.set({ scrub: to === all.length - 1 ? null : (all[to]?.iteration ?? null) });
  };
  const here = (): number => placeOf(kept(), context?.local.scrub ?? null);
  const range = slider("Iteration", { min: 0, max: 1, step: 1, value: 0 }, go);
  const place = h("span", { class: "place" });
  const values = h("p", { class: "muted trace-values" });
  const chart = sparkline((at) => {
    const point = context ? traceOf(context.state)[at] : undefined;
    const near = point && nearestKept(kept(), point.iteration);
    if (near) go(kept().indexOf(near));
  });
  const row = h(
    "div",
    { class: "scrub-row" },
    h("span", {}, "Iteration"),
    button("", () => go(here() - 1), { icon: "chevron-left", appearance: "icon", label: "Previous iteration" }),
    range.element,
    button("", () => go(here() + 1), { icon: "chevron-right", appearance: "icon", label: "Next iteration" }),
    place,
  );
  const element = h("section", { class: "scrubber", attributes: { "aria-label": "Iterations" } }, row, chart.element, values);
  const drawChart = onChange((trace: readonly TracePoint[], at: number) => chart.update(trace, at));
  return {
    element,
    update(next) {
      context = next;
      const all = kept();
      const point = all[here()];
      show(element, all.length > 1 && point !== undefined);
      if (all.length < 2 || !point) return;
      const trace = traceOf(next.state);
      range.element.max = String(lastPlace(all, next.state));
      range.set(here(), spoken(next, point));
      setText(place, placeText(point.iteration, next.state));
      fill(values, ...describe(next, point));
      drawChart(trace, trace.indexOf(point));
    },
  };
}

const placeOf = (kept: readonly KeptPoint[], scrub: number | null): number => {
  const near = scrub === null ? null : nearestKept(kept, scrub);
  return near ? kept.indexOf(near) : Math.max(0, kept.length - 1);
};

/** What a screen reader says of a place: the verdict, once there is one. */
function spoken({ state, local }: Context, { iteration }: KeptPoint): string {
  return state.result ? verdict(state, shownOf(state, local.scrub)).text : iterationText(iteration);
}

function describe({ state }: Context, point: KeptPoint): HTMLElement[] {
  const name = (index: number): string =>
    (state.result?.before.scores ?? point.step.scores).find((s) => s.index === index)?.name ?? `class ${index}`;
  const label = (state.result?.reference ?? state.result?.label)?.name ?? state.clean?.prediction.name ?? "the true class";
  return [
    h("span", { class: "key true" }, `${label} (${probability(point.trueProbability)})`),
    h("span", { class: "key other" }, `${name(point.otherClass)} (${probability(point.otherProbability)})`),
  ];
}
