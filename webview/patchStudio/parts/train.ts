import type { StudioState, StudioTraining } from "../../../src/shared/patchStudio.ts";
import { errorCard } from "../../lib/cards.ts";
import { createChart } from "../../lib/chart.ts";
import { fill, h, onChange, type Part, setText, show } from "../../lib/dom.ts";
import type { Save } from "../../lib/figureFrame.ts";
import { button, enable, icon, section } from "../../lib/ui.ts";
import { type Context, canGoOn, coveringText, figuresText, keptText, targetName, trainingPlots, trainingText } from "../model.ts";
import { setup } from "./setup.ts";

const icons: Readonly<Record<StudioTraining["status"], string>> = {
  running: "sync",
  done: "check",
  failed: "error",
  cancelled: "circle-slash",
  interrupted: "debug-pause",
};

/** The form, the patch as it grows, and the curves. */
export function train(): Part<Context> {
  let context: Context | null = null;
  const form = setup((settings) => context?.send({ kind: "settings", settings }));
  const fault = h("p", { class: "muted", attributes: { "aria-live": "polite" } });
  const goOn = button("Continue", () => begin(true), {
    icon: "debug-continue",
    appearance: "primary",
    label: "Resume where the training stopped",
  });
  const starts = ["Train the patch", "Train again"].map((text) =>
    button(text, () => begin(false), { icon: "play", appearance: "primary" }),
  );
  const cancel = button("Cancel", () => context?.send({ kind: "cancel", what: "train" }), {
    icon: "debug-stop",
    label: "Cancel the training (Esc)",
  });
  const progress = progressOf();
  const picture = growingPatch();
  const error = errorCard((intent) => context?.send(intent));
  const curves = curvesOf((name, dataUrl) => context?.send({ kind: "save", name, dataUrl }));
  const begin = (goesOn: boolean): void => {
    const problem = form.fault();
    setText(fault, problem ?? "");
    if (!problem) context?.send({ kind: "train", goOn: goesOn });
  };
  const buttons = h("div", { class: "buttons" }, goOn, ...starts, cancel, fault);
  const row = h("div", { class: "studio-row" }, form.element, picture.element);
  return {
    element: section("Train a patch", true, row, buttons, progress.element, error.element, curves.element),
    update(next) {
      context = next;
      const { state } = next;
      const running = state.training?.status === "running";
      form.update(next);
      for (const [i, start] of starts.entries()) {
        enable(start, !running && state.models.length > 0 && state.sources.length > 0);
        show(start, (state.training !== null) === (i === 1));
      }
      show(goOn, canGoOn(state.training));
      show(cancel, running);
      for (const part of [progress, picture, curves]) part.update(state);
      row.classList.toggle("alone", picture.element.hidden);
      error.update(state.training?.error ?? null);
    },
  };
}

/** How far the training is, and what the finished patch did. */
function progressOf(): Part<StudioState> {
  const status = h("p", { class: "status-line", attributes: { "aria-live": "polite" } });
  const figures = h("p", { class: "muted" });
  const bar = h("progress", { class: "visually-hidden", attributes: { max: 1, "aria-label": "Steps of the training" } });
  const done = h("div", { class: "progress-done" });
  const track = h("div", { class: "progress", attributes: { "aria-hidden": "true" } }, done);
  const say = onChange((kind: StudioTraining["status"] | "none", text: string) =>
    fill(status, kind === "none" ? null : icon(icons[kind]), text),
  );
  return {
    element: h("div", { class: "progress-row" }, status, bar, track, figures),
    update(state) {
      const { training } = state;
      const running = training?.status === "running";
      // The step changes ten times a second: a screen reader is told of the beginning and the end only.
      status.setAttribute("aria-live", running ? "off" : "polite");
      say(training?.status ?? "none", trainingText(training));
      const share = training && training.steps > 0 ? (training.history.at(-1)?.step ?? 0) / training.steps : 0;
      bar.value = share;
      done.style.width = `${share * 100}%`;
      show(track, running);
      show(bar, running);
      const known = state.patch?.document?.training;
      show(figures, known !== undefined && !running);
      if (known)
        setText(figures, `${figuresText(known.figures, targetName(state))} ${coveringText(known.before)} ${keptText(known)}`.trim());
    },
  };
}

/** The patch: as it grows, else the one that is in use. */
function growingPatch(): Part<StudioState> {
  const picture = h("img", { attributes: { alt: "" } });
  const element = h("figure", { class: "patch-side" }, h("div", { class: "patch-view" }, picture));
  return {
    element,
    update({ training, patch }) {
      const running = training?.status === "running";
      const shown = (running ? training.picture : null) ?? patch?.uri ?? training?.picture ?? null;
      show(element, shown !== null);
      if (shown && picture.getAttribute("src") !== shown) picture.src = shown;
      picture.alt = running ? "The patch so far" : `Patch ${patch?.name ?? ""}`;
    },
  };
}

function curvesOf(save: Save): Part<StudioState> {
  const charts = [createChart(save), createChart(save)];
  const element = h("div", { class: "charts" }, ...charts.map((chart) => chart.element));
  const draw = onChange((training: StudioTraining) => {
    for (const [i, [axes, plot]] of trainingPlots(training).entries()) charts[i]?.update(axes, plot);
  });
  return {
    element,
    update(state) {
      const { training } = state;
      const shown = training && training.history.length > 0 ? training : fromDocument(state);
      show(element, shown !== null);
      if (shown) draw(shown);
    },
  };
}

const kept = new WeakMap<object, StudioTraining>();
/** The curves of a patch that was trained earlier are in its document. */
function fromDocument({ patch }: StudioState): StudioTraining | null {
  const document = patch?.document;
  if (!document || document.training.history.length === 0) return null;
  const { history, steps, imageCount } = document.training;
  const made: StudioTraining = kept.get(document) ?? {
    status: "done",
    steps,
    images: imageCount,
    target: document.target,
    history,
    file: null,
    picture: null,
    run: "",
    error: null,
  };
  kept.set(document, made);
  return made;
}
