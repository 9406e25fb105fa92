import { count, duration, number } from "../../../src/shared/format.ts";
import { armLabel, choiceLabel } from "../../../src/shared/labels.ts";
import type { RunReport } from "../../../src/shared/results.ts";
import { fill, h, onChange, type Part, show } from "../../lib/dom.ts";
import { icon, section } from "../../lib/ui.ts";
import type { ReportContext } from "../context.ts";
import { expectationText } from "../tables.ts";

/** What was expected, how the arms were trained, and the experiment as it was run. */
export function facts(): Part<ReportContext> {
  const expected = h("ul", { class: "plain expectations" });
  const heading = h("h2", {}, "Expectations");
  const training = h("div", { class: "table-scroll", attributes: { tabindex: 0, role: "group", "aria-label": "Training" } });
  const json = h("pre", { class: "json", attributes: { tabindex: 0 } });
  const element = h(
    "div",
    { class: "stack" },
    h("section", {}, heading, expected),
    section("Training", false, training),
    section("Experiment", false, json),
  );
  const draw = onChange(({ report, names }: ReportContext) => {
    show(heading, report.expect.length > 0);
    fill(
      expected,
      ...report.expect.map((e) =>
        h(
          "li",
          { class: e.met ? "met" : "missed" },
          icon(e.met ? "check" : "error"),
          h("span", { class: "visually-hidden" }, e.met ? "met: " : "missed: "),
          expectationText(e, names),
        ),
      ),
    );
    fill(training, trainingTable(report));
    json.textContent = JSON.stringify(report.experiment, null, 2);
  });
  return { element, update: draw };
}

function trainingTable(report: RunReport): HTMLElement {
  const head = ["Arm", "Model", "Images", "Epochs", "Time", "Images/s", "One image, median", "95th percentile", "Without volumizer"].map(
    (text) => h("th", { attributes: { scope: "col" } }, text),
  );
  const rows = report.arms.map((arm) => {
    const { model, training, timing } = arm;
    return h(
      "tr",
      {},
      h("th", { attributes: { scope: "row" } }, armLabel(arm)),
      h("td", {}, choiceLabel(model)),
      h("td", {}, training ? count(training.images) : "–"),
      h("td", {}, training ? count(training.epochs) : "–"),
      h("td", {}, training ? `${duration(training.seconds)}${training.reused ? " (reused)" : ""}` : "–"),
      h("td", {}, training ? number(training.imagesPerSecond) : "–"),
      ...[timing?.forwardMilliseconds, timing?.p95Milliseconds, timing?.networkMilliseconds].map((ms) =>
        h("td", {}, ms === undefined ? "–" : `${number(ms)} ms`),
      ),
    );
  });
  return h("table", {}, h("thead", {}, h("tr", {}, ...head)), h("tbody", {}, ...rows));
}
