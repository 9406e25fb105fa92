import { probability } from "../../../src/shared/format.ts";
import type { TracePoint } from "../../../src/shared/protocol.ts";
import { fill, h, onChange, type Part, setText, show } from "../../lib/dom.ts";
import { button, slider } from "../../lib/ui.ts";
import { type Context, keptIterate, traceOf } from "../model.ts";
import { sparkline } from "./sparkline.ts";

/** Steps through the attack: a slider, two buttons, and the probabilities as a small chart to click into. */
export function scrubber(): Part<Context> {
  let context: Context | null = null;
  const go = (at: number): void => {
    const last = context ? traceOf(context.state).length - 1 : 0;
    const to = Math.min(Math.max(at, 0), last);
    context?.set({ scrub: to === last ? null : to });
  };
  const here = (): number => context?.local.scrub ?? (context ? traceOf(context.state).length - 1 : 0);
  const range = slider("Iteration", { min: 0, max: 1, step: 1, value: 0 }, go);
  const place = h("span", { class: "place" });
  const values = h("p", { class: "muted trace-values" });
  const chart = sparkline(go);
  const element = h(
    "section",
    { class: "scrubber", attributes: { "aria-label": "Iterations" } },
    h(
      "div",
      { class: "scrub-row" },
      h("span", {}, "iteration"),
      button("", () => go(here() - 1), { icon: "chevron-left", appearance: "icon", label: "Previous iteration" }),
      range.element,
      button("", () => go(here() + 1), { icon: "chevron-right", appearance: "icon", label: "Next iteration" }),
      place,
    ),
    chart.element,
    values,
  );
  const drawChart = onChange((trace: readonly TracePoint[], at: number) => chart.update(trace, at));
  return {
    element,
    update(next) {
      context = next;
      const trace = traceOf(next.state);
      show(element, trace.length > 1);
      if (trace.length < 2) return;
      const at = Math.min(here(), trace.length - 1);
      const point = trace[at];
      if (!point) return;
      range.element.max = String(trace.length - 1);
      range.set(at, `iteration ${point.iteration}`);
      setText(place, `${point.iteration} / ${next.state.progress?.total ?? trace[trace.length - 1]?.iteration ?? ""}`);
      fill(values, ...describe(next, point, at));
      drawChart(trace, at);
    },
  };
}

function describe({ state, local }: Context, point: TracePoint, at: number): (HTMLElement | string)[] {
  const name = (index: number): string => state.result?.before.scores.find((s) => s.index === index)?.name ?? `class ${index}`;
  const label = state.result?.label.name ?? state.clean?.prediction.name ?? "the true class";
  const kept = keptIterate(traceOf(state), at);
  return [
    h("span", { class: "key true" }, `${label} (${probability(point.trueProbability)})`),
    h("span", { class: "key other" }, `${name(point.otherClass)} (${probability(point.otherProbability)})`),
    local.scrub !== null && kept && kept.iteration !== point.iteration ? ` picture of iteration ${kept.iteration}` : "",
  ];
}
