import type { Pick } from "../../../src/shared/cards.ts";
import type { DetectionResult, ThresholdChoice } from "../../../src/shared/detectionCards.ts";
import { capital, duration, plural } from "../../../src/shared/format.ts";
import type { InspectorIntent } from "../../../src/shared/panels.ts";
import { fill, h, onChange, type Part, setText, show } from "../../lib/dom.ts";
import { figureCard } from "../../lib/figureCard.ts";
import { button, icon, section, setButtonText } from "../../lib/ui.ts";
import { cardStatus } from "../card.ts";
import {
  cleanScores,
  type DetectionVerdict,
  detectionVerdict,
  isOneVote,
  scaleEnd,
  thresholdOf,
  unitOf,
  votesFigure,
} from "../detection.ts";
import { follower, isOfOther, iterationOf } from "../follow.ts";
import { type Context, iterationText } from "../model.ts";
import { detectorChoice } from "./detectorChoice.ts";
import { type Scale, scoreScale } from "./scoreScale.ts";
import { thresholdChoice } from "./thresholdChoice.ts";
import { unitMaps } from "./unitMaps.ts";

/** A detector that took longer, in seconds, does not follow the scrubber by itself. */
const quick = 1;
/** The choice of a threshold is written down when a slider has stopped for so long. */
const pauseMilliseconds = 300;
const usualThreshold: ThresholdChoice = { falsePositiveRate: 0.05 };

/** What a detector says of both pictures: a verdict, its score against a threshold, the votes, and where it samples. */
export function detection(send: (intent: InspectorIntent) => void): Part<Context> {
  let context: Context | null = null;
  const threshold = thresholdWish((choice) => {
    const card = context?.state.cards.detection;
    if (card?.status === "done") send({ kind: "card", id: "detection", params: { ...card.params, threshold: choice } });
  });
  const ask = (detector: Pick, iteration: number | null): void =>
    send({ kind: "card", id: "detection", params: { detector, iteration, threshold: threshold.now() } });
  const choice = detectorChoice((detector) => context && ask(detector, iterationOf(context)));
  const status = cardStatus("detection", "Running the detector", send);
  const found = detectionView(send, {
    wish: (next) => {
      threshold.want(next);
      context?.set({});
    },
    measure: () => {
      const asked = context?.state.cards.detection?.params.detector;
      if (context && asked) ask(asked, iterationOf(context));
    },
  });
  const follow = follower(
    "detection",
    (iteration) => {
      const asked = context?.state.cards.detection?.params.detector;
      if (asked) ask(asked, iteration);
    },
    () => {
      const card = context?.state.cards.detection;
      return card?.status === "done" && card.result !== null && card.result.seconds <= quick;
    },
  );
  const intro = h(
    "p",
    { class: "muted" },
    "A detector scores how unsure the network is of a picture; most do so by passes in which activations are left out at random.",
  );
  const element = section("Is this image adversarial?", false, intro, choice.element, status.element, found.element);
  return {
    element,
    update(next) {
      context = next;
      const card = next.state.cards.detection;
      choice.update(next.state);
      status.update(card);
      const isStale = follow(next) || card?.status === "failed" || card?.status === "cancelled";
      found.element.classList.toggle("stale", isStale);
      show(found.element, Boolean(card?.result));
      if (card?.result) found.update({ context: next, result: card.result, threshold: threshold.of(card.params.threshold) });
    },
  };
}

/** The threshold that is shown: the host's, until the user moves it here. The host gets the new value once the user has stopped moving it. */
function thresholdWish(tell: (choice: ThresholdChoice) => void) {
  let own: ThresholdChoice | null = null;
  let last: ThresholdChoice = usualThreshold;
  let timer: ReturnType<typeof setTimeout> | undefined;
  return {
    now: () => own ?? last,
    of(kept: ThresholdChoice): ThresholdChoice {
      last = kept;
      return own ?? kept;
    },
    want(choice: ThresholdChoice): void {
      own = choice;
      clearTimeout(timer);
      timer = setTimeout(() => tell(choice), pauseMilliseconds);
    },
  };
}

interface Shown {
  readonly context: Context;
  readonly result: DetectionResult;
  readonly threshold: ThresholdChoice;
}
interface Acts {
  wish(threshold: ThresholdChoice): void;
  /** Runs the detector on what is on show. */
  measure(): void;
}
function detectionView(send: (intent: InspectorIntent) => void, { wish, measure }: Acts): Part<Shown> {
  const line = h("p", { class: "detected", attributes: { "aria-live": "polite" } });
  const which = h("p", { class: "muted" });
  const again = button("Measure what is on show", measure, { icon: "refresh" });
  const toMeasure = h("div", { class: "buttons" }, again);
  const scale = scoreScale();
  const choice = thresholdChoice(wish, send);
  const votes = figureCard((name, dataUrl) => send({ kind: "save", name, dataUrl }));
  const units = unitMaps();
  const note = h("p", { class: "muted" });
  const say = onChange((kind: DetectionVerdict["kind"], text: string) => {
    line.className = `detected ${kind}`;
    fill(line, icon(icons[kind]), h("span", {}, text));
  });
  const plot = onChange((result: DetectionResult, label: number | null) => votes.update(votesFigure(result, { label })));
  return {
    element: h(
      "div",
      { class: "stack detection" },
      line,
      which,
      toMeasure,
      scale.element,
      choice.element,
      votes.element,
      units.element,
      note,
    ),
    update({ context, result, threshold: chosen }) {
      const { state } = context;
      const { iteration } = result;
      const threshold = thresholdOf(chosen, cleanScores(result, state.cards.calibration).scores);
      const { kind, text } = detectionVerdict(result, threshold, iteration === null ? undefined : attackedName(iteration));
      say(kind, text);
      setText(which, measuredText(result));
      const wanted = iterationOf(context);
      show(toMeasure, isOfOther("detection", context) && result.seconds > quick && state.cards.detection?.status !== "running");
      setButtonText(again, wanted === null ? "Measure the result of the attack" : `Measure ${attackedName(wanted)}`);
      scale.update(scaleOf(result, threshold));
      choice.update({ state, result, choice: chosen });
      plot(result, state.result?.labelKnown ? state.result.label.index : (state.label?.index ?? null));
      units.update({ result, base: state.base, attacked: sideName(iteration) });
      setText(note, result.adversarial ? unaware : "");
    },
  };
}

const icons: Readonly<Record<DetectionVerdict["kind"], string>> = {
  caught: "shield",
  missed: "warning",
  alarm: "warning",
  passed: "check",
  none: "circle-slash",
};
const unaware =
  "The attack did not know this detector. Only an attack that does tells what it is worth: list it in an experiment, whose report has both.";

const attackedName = (iteration: number): string => (iteration === 0 ? "the start of the attack" : `iteration ${iteration}`);

const sideName = (iteration: number | null): string => (iteration === null ? "adversarial" : iterationText(iteration).toLowerCase());

function measuredText({ adversarial, iteration, passes, seconds }: DetectionResult): string {
  const attacked = iteration === null ? "the result of the attack" : attackedName(iteration);
  const what = adversarial ? `the clean image and ${attacked}` : "the clean image";
  return `Measured: ${what}, ${plural(passes, "pass", "passes")} an image, ${duration(seconds)}.`;
}

/** Null where every score is 0 by itself. */
function scaleOf(result: DetectionResult, threshold: number | null): Scale | null {
  if (isOneVote(result)) return null;
  const { clean, adversarial, iteration } = result;
  const second = adversarial && { name: capital(sideName(iteration)), score: adversarial.score, colour: "adversarial" as const };
  const rows = [{ name: "Clean", score: clean.score, colour: "clean" as const }, ...(second ? [second] : [])];
  return { rows, threshold, end: scaleEnd(result, threshold), label: scoreLabel(result), unit: unitOf(result) };
}

function scoreLabel({ clean, detector }: DetectionResult): string {
  if (clean.votes !== null) return "Entropy of the votes";
  return detector.id === "softmaxEntropy" ? "Entropy of the probabilities" : "Score";
}
