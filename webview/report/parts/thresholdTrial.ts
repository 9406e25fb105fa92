import { percent } from "../../../src/shared/format.ts";
import { fill, h, type Part, setText, show } from "../../lib/dom.ts";
import { button, dropdown, slider } from "../../lib/ui.ts";
import type { ReportContext } from "../context.ts";
import { type Flagged, flaggedAt, flaggedTexts, spokenTrial, type TrialDetector, thresholdText, trialDetectors } from "../threshold.ts";

/** A slider over the thresholds of a detector: what each would have caught, and how many clean images it would have flagged. */
export function thresholdTrial(): Part<ReportContext> {
  let context: ReportContext | null = null;
  let detectors: readonly TrialDetector[] = [];
  let chosen: TrialDetector | undefined;
  let thumb: ReturnType<typeof slider> | null = null;
  const which = dropdown("Detector", (place) => choose(detectors[Number(place)]));
  const control = h("div", { class: "threshold-control" });
  const value = h("output", { class: "threshold-value" });
  const note = h("p", { class: "muted small" });
  const { element: table, update: fillTable } = flaggedTable();
  const back = button("Chosen threshold", () => moveTo(chosen?.first ?? 0), { icon: "discard" });

  const moveTo = (place: number): void => {
    if (!chosen || !context) return;
    const flagged = flaggedAt(chosen, place, context.names);
    setText(value, thresholdText(chosen.stops[place]));
    thumb?.set(place, spokenTrial(chosen.stops[place], flagged));
    fillTable(flagged);
  };
  const choose = (detector: TrialDetector | undefined): void => {
    chosen = detector;
    if (!detector) return;
    const range = { min: 0, max: detector.stops.length - 1, step: 1, value: detector.first };
    thumb = slider(`Threshold of ${detector.label}`, range, moveTo);
    fill(control, h("span", { class: "field-name" }, "Threshold"), thumb.element, value);
    setText(note, chosenNote(detector));
    show(back, detector.result.threshold !== null);
    moveTo(detector.first);
  };
  const title = h("h3", {}, "What another threshold would flag");
  const foot = h("div", { class: "toolbar" }, back, note);
  return {
    element: h("div", { class: "threshold-trial" }, title, which.element, control, table, foot),
    update(next) {
      const isSame = context?.report === next.report;
      context = next;
      if (isSame) return;
      detectors = trialDetectors(next.report, next.names);
      show(this.element, detectors.length > 0);
      show(which.element, detectors.length > 1);
      which.set(
        detectors.map(({ label }, i) => ({ value: String(i), text: label })),
        "0",
      );
      choose(detectors[0]);
    },
  };
}

function flaggedTable(): Part<readonly Flagged[]> {
  const body = h("tbody");
  const heads = ["Images", "Flagged", "Share", "95 % interval"].map((text, i) =>
    h("th", { class: i === 0 ? "" : "figure-cell", attributes: { scope: "col" } }, text),
  );
  const table = h("table", {}, h("thead", {}, h("tr", {}, ...heads)), body);
  return {
    element: h(
      "div",
      { class: "table-scroll", attributes: { tabindex: 0, role: "group", "aria-label": "What the threshold flags" } },
      table,
    ),
    update(flagged) {
      const rows = flagged.map((one) => {
        const cells = flaggedTexts(one).map((text) => h("td", { class: "figure-cell" }, text));
        return h("tr", {}, h("th", { attributes: { scope: "row" } }, one.name), ...cells);
      });
      fill(body, ...rows);
    },
  };
}

function chosenNote({ result }: TrialDetector): string {
  const { threshold, falsePositiveRate, thresholdImages } = result;
  if (threshold === null) return "No threshold was chosen: there are no validation images. Test images must not choose one.";
  return `${thresholdText(threshold)} was chosen: it flags at most ${percent(falsePositiveRate)} of ${thresholdImages} validation images. A threshold that is tried here has seen the test images: do not report its figures.`;
}
