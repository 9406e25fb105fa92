import { number } from "../../../src/shared/format.ts";
import type { ReportState } from "../../../src/shared/panels.ts";
import type { ExplanationResult, ExplanationSample } from "../../../src/shared/results.ts";
import { fileUrl } from "../../lib/connect.ts";
import { fill, h, onChange, type Part, show } from "../../lib/dom.ts";
import { section } from "../../lib/ui.ts";

/** Attention before and after, for the images the experiment asked for. */
export function attentionSamples(): Part<ReportState> {
  const body = h("div", { class: "stack" });
  const element = section("Attention before and after", true, body);
  const draw = onChange((report: ReportState["report"], state: ReportState) => {
    const groups = (report?.arms ?? []).flatMap((arm) => arm.explanations.map((explanation) => group(arm.name, explanation, state)));
    show(element, groups.length > 0);
    fill(body, ...groups);
  });
  return { element, update: (state) => draw(state.report, state) };
}

function group(arm: string, explanation: ExplanationResult, state: ReportState): HTMLElement {
  return h(
    "div",
    {},
    h("h3", {}, `${arm} · ${explanation.id}, layer ${explanation.layer}`),
    h("div", { class: "samples" }, ...explanation.samples.map((sample) => sampleOf(arm, sample, state))),
  );
}

function sampleOf(arm: string, sample: ExplanationSample, state: ReportState): HTMLElement {
  const name = (index: number): string => state.classNames[index] ?? String(index);
  const picture = (file: string, alt: string): HTMLElement =>
    h("img", { attributes: { src: fileUrl(state.base, file), alt, loading: "lazy" } });
  const side = (what: string, { image, attention, prediction }: ExplanationSample["clean"]): HTMLElement[] => [
    picture(image, `${what} image ${sample.index}, predicted ${name(prediction)}`),
    picture(attention, `Attention of ${arm} on the ${what} image ${sample.index}`),
  ];
  const text = `image ${sample.index}: ${name(sample.clean.prediction)} → ${name(sample.adversarial.prediction)} (${sample.attack})`;
  return h(
    "figure",
    { class: "sample" },
    h("div", { class: "sample-row" }, ...side("clean", sample.clean), ...side("adversarial", sample.adversarial)),
    h("figcaption", {}, h("span", {}, text), h("span", { class: "muted" }, sample.iou === null ? "" : `IoU ${number(sample.iou)}`)),
  );
}
