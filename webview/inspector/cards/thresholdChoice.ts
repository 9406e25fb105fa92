import type { CalibrationParams, DetectionResult, ThresholdChoice } from "../../../src/shared/detectionCards.ts";
import { number, parseNumber, percent } from "../../../src/shared/format.ts";
import type { InspectorIntent, InspectorState } from "../../../src/shared/panels.ts";
import { h, onChange, type Part, setText, show } from "../../lib/dom.ts";
import { button, dropdown, enable, faultLine, icon, setButtonText, slider, textField } from "../../lib/ui.ts";
import { cardStatus } from "../card.ts";
import { cleanScores, thresholdOf, thresholdText, unitOf } from "../detection.ts";

interface Shown {
  readonly state: InspectorState;
  readonly result: DetectionResult;
  readonly choice: ThresholdChoice;
}
const kinds = [
  { value: "rate", text: "By false-positive rate" },
  { value: "value", text: "Set by hand" },
];
const usualRate = 0.05;
const usualImages = 50;
const mostImages = 10_000;

/** How the threshold is chosen: on clean images for a false-positive rate, or by hand; where it comes from, and what it does to clean images. */
export function thresholdChoice(wish: (choice: ThresholdChoice) => void, send: (intent: InspectorIntent) => void): Part<Shown> {
  let shown: Shown | null = null;
  const kind = dropdown("Threshold", (value) => {
    if (!shown) return;
    const scores = cleanScores(shown.result, shown.state.cards.calibration).scores;
    const now = thresholdOf(shown.choice, scores) ?? shown.result.clean.score;
    wish(value === "value" ? { value: now } : { falsePositiveRate: usualRate });
  });
  const rate = slider("False-positive rate", { min: 0, max: 0.5, step: 0.01, value: usualRate }, (falsePositiveRate) =>
    wish({ falsePositiveRate }),
  );
  const rateText = h("span", { class: "place" });
  const byRate = h("label", { class: "field" }, h("span", { class: "field-name" }, "False-positive rate"), rate.element, rateText);
  const byHand = handField(wish);
  const text = h("p", { attributes: { "aria-live": "polite" } });
  const clean = cleanImages(() => shown, send);
  const element = h(
    "div",
    { class: "stack threshold", attributes: { role: "group", "aria-label": "Threshold of the detector" } },
    h("div", { class: "toolbar" }, kind.element, byRate, byHand.element),
    text,
    clean.element,
  );
  return {
    element,
    update(next) {
      shown = next;
      const { choice, result, state } = next;
      const isRate = "falsePositiveRate" in choice;
      kind.set(kinds, isRate ? "rate" : "value");
      show(byRate, isRate);
      if (isRate) {
        rate.set(choice.falsePositiveRate, percent(choice.falsePositiveRate, 0));
        setText(rateText, percent(choice.falsePositiveRate, 0));
      }
      byHand.update(next);
      const { scores } = cleanScores(result, state.cards.calibration);
      const words = thresholdText(choice, scores, unitOf(result));
      setText(text, words);
      show(text, words !== "");
      clean.update(next);
    },
  };
}

function handField(wish: (choice: ThresholdChoice) => void): Part<Shown> {
  const fault = faultLine();
  let typed: number | null = null;
  const field = textField("Threshold set by hand", "", (text) => {
    typed = parseNumber(text);
    const isWrong = typed === null || typed < 0;
    fault.update(isWrong ? "Threshold: enter a number of at least 0, such as 0.5." : null);
    if (typed !== null && !isWrong) wish({ value: typed });
  });
  const adopt = onChange((value: number | null) => {
    if (value === null || value === typed) return; // what is being typed stays as it is
    typed = value;
    field.value = number(value);
    fault.update(null);
  });
  const unit = h("span", { class: "unit muted" });
  const element = h("div", { class: "toolbar" }, field.element, unit, fault.element);
  return {
    element,
    update({ choice, result }) {
      show(element, "value" in choice);
      setText(unit, unitOf(result));
      adopt("value" in choice ? choice.value : null);
    },
  };
}

/** The request for scores of clean images: why it is needed, how many images, and how far it is. */
function cleanImages(now: () => Shown | null, send: (intent: InspectorIntent) => void): Part<Shown> {
  let images: number | null = usualImages;
  const fault = faultLine();
  const field = textField("Images", String(images), (text) => {
    images = parseNumber(text);
    const isRight = images !== null && Number.isInteger(images) && images >= 1 && images <= mostImages;
    fault.update(isRight ? null : `Images: enter a whole number from 1 to ${mostImages}.`);
    for (const one of [ask, other]) enable(one, isRight);
  });
  const request = (data: CalibrationParams["data"]): void => {
    const shown = now();
    if (shown && images !== null) send({ kind: "card", id: "calibration", params: { detector: shown.result.detector, data, images } });
  };
  const dataOf = (): string | null => now()?.state.cards.calibration?.params.data ?? null;
  const ask = button("Score clean images", () => request(dataOf()), { icon: "play", appearance: "primary" });
  const other = button("Other clean images…", () => request(null), { icon: "folder-opened" });
  const status = cardStatus("calibration", "Scoring clean images", send);
  const why = h("p", {});
  const info = h("div", { class: "card info", attributes: { role: "status" } }, icon("info"), h("div", { class: "card-text" }, why));
  const row = h(
    "div",
    { class: "toolbar" },
    h("label", { class: "field" }, h("span", { class: "field-name" }, "Images"), field.element),
    ask,
    other,
  );
  const say = onChange((words: string) => {
    show(info, words !== "");
    setText(why, words);
  });
  return {
    element: h("div", { class: "stack" }, info, row, fault.element, status.element),
    update({ choice, result, state }) {
      const card = state.cards.calibration;
      const { scores, isOther } = cleanScores(result, card);
      const isRunning = card?.status === "running";
      status.update(card);
      say(isRunning || scores || !("falsePositiveRate" in choice) ? "" : reason(isOther));
      setButtonText(ask, isOther ? "Score them again" : scores ? "Score again" : "Score clean images");
      ask.setAttribute("appearance", scores || "value" in choice ? "secondary" : "primary");
      show(row, !isRunning);
      show(other, card?.params.data !== undefined && card.params.data !== null);
    },
  };
}

const reason = (isOther: boolean): string =>
  isOther
    ? "No threshold: the clean images were scored by another detector or with other settings."
    : "No threshold: no clean images have been scored to choose it on. Labelled images of this folder that fit the model will do.";
