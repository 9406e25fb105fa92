import { percent } from "../../src/shared/format.ts";
import { isUnderWay } from "../../src/shared/lifecycle.ts";
import type { TrainingIntent, TrainingState } from "../../src/shared/panels.ts";
import { errorCard } from "../lib/cards.ts";
import { type Chart, createChart } from "../lib/chart.ts";
import { h, setText, show } from "../lib/dom.ts";
import { checkbox, icon, slider } from "../lib/ui.ts";
import { attentionStrips } from "./parts/attentionStrips.ts";
import { header } from "./parts/header.ts";
import { logList } from "./parts/logList.ts";
import { accuracyPlot, type ChartSettings, lossPlot, partPlots } from "./plots.ts";
import { type Summary, summarize } from "./series.ts";

/** The Training panel: curves of all arms, how fast, how long still, and what happened. Drawn from the events alone. */
export function createView(send: (intent: TrainingIntent) => void): { element: HTMLElement; update(state: TrainingState): void } {
  let summary: Summary | null = null;
  const top = header(send);
  const error = errorCard(send);
  const charts = chartsPart(send);
  const strips = attentionStrips();
  const log = logList();
  const empty = h("p", { class: "muted" }, "Preparing data and model…");
  const element = h("main", { class: "panel training" }, top.element, error.element, empty, charts.element, strips.element, log.element);
  let waiting = false;
  let state: TrainingState | null = null;
  const draw = (): void => {
    waiting = false;
    if (!state) return;
    summary = summarize(state.events);
    top.update({ state, summary });
    error.update(state.error);
    const hasCurves = summary.arms.some((arm) => arm.steps.length + arm.epochs.length > 0);
    show(empty, !hasCurves && isUnderWay(state.run.status));
    show(charts.element, hasCurves);
    charts.update(summary);
    strips.update({ summary, base: state.base });
    log.update(summary.log);
  };
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && state && isUnderWay(state.run.status) && !event.defaultPrevented) send({ kind: "cancel" });
  });
  return {
    element,
    update(next) {
      state = next;
      // Ten events a second of two arms: one drawing a frame is enough.
      if (!waiting) requestAnimationFrame(draw);
      waiting = true;
    },
  };
}

function chartsPart(send: (intent: TrainingIntent) => void): { element: HTMLElement; update(summary: Summary): void } {
  let settings: ChartSettings = { log: false, smoothing: 0.6 };
  let summary: Summary | null = null;
  const save = (name: string, dataUrl: string): void => send({ kind: "save", name, dataUrl });
  const [loss, accuracy] = [createChart(save), createChart(save)];
  const parts = new Map<string, Chart>();
  const partCharts = h("div", { class: "charts parts" });
  const partChart = (title: string): Chart => {
    const known = parts.get(title);
    if (known) return known;
    const made = createChart(save);
    parts.set(title, made);
    partCharts.append(made.element);
    return made;
  };
  const amount = h("span", { class: "place" }, percent(settings.smoothing));
  const smoothing = slider("Smoothing of the training loss", { min: 0, max: 0.98, step: 0.02, value: settings.smoothing }, (value) => {
    settings = { ...settings, smoothing: value };
    setText(amount, percent(value));
    draw();
  });
  const log = checkbox("Logarithmic loss", settings.log, (checked) => {
    settings = { ...settings, log: checked };
    draw();
  });
  const mark = h("p", { class: "diverged", attributes: { "aria-live": "polite" } });
  const draw = (): void => {
    if (!summary) return;
    loss.update(...lossPlot(summary, settings));
    const [axes, plot] = accuracyPlot(summary);
    show(accuracy.element, plot.lines.length > 0);
    accuracy.update(axes, plot);
    for (const part of partPlots(summary, settings)) partChart(part[0].title).update(...part);
    show(partCharts, parts.size > 0);
    const { diverged } = summary;
    show(mark, diverged !== null);
    if (diverged && mark.childElementCount === 0) mark.append(icon("warning"), ` ${diverged.arm}: ${diverged.text}`);
  };
  const tools = h(
    "div",
    { class: "toolbar" },
    h("label", { class: "field" }, h("span", { class: "field-name" }, "Smoothing"), smoothing.element, amount),
    log.element,
  );
  return {
    element: h(
      "section",
      { attributes: { "aria-label": "Curves" } },
      tools,
      mark,
      h("div", { class: "charts" }, loss.element, accuracy.element),
      partCharts,
    ),
    update(next) {
      summary = next;
      draw();
    },
  };
}
