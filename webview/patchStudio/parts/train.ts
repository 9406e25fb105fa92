import type { StudioTraining } from "../../../src/shared/patchStudio.ts";
import { errorCard } from "../../lib/cards.ts";
import { createChart } from "../../lib/chart.ts";
import { fill, h, onChange, type Part, setText, show } from "../../lib/dom.ts";
import { button, enable, icon, section } from "../../lib/ui.ts";
import { type Context, figuresText, targetName, trainingPlots, trainingText } from "../model.ts";
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
  const start = button("Train the patch", () => begin(), { icon: "play", appearance: "primary" });
  const cancel = button("Cancel", () => context?.send({ kind: "cancel", what: "train" }), {
    icon: "debug-stop",
    label: "Cancel the training (Esc)",
  });
  const status = h("p", { class: "status-line", attributes: { "aria-live": "polite" } });
  const figures = h("p", { class: "muted" });
  const bar = h("progress", { class: "visually-hidden", attributes: { max: 1, "aria-label": "Steps of the training" } });
  const track = h("div", { class: "progress", attributes: { "aria-hidden": "true" } }, h("div", { class: "progress-done" }));
  const picture = h("img", { attributes: { alt: "" } });
  const pictureBox = h("div", { class: "patch-view" }, picture);
  const error = errorCard({ fix: (id) => context?.send({ kind: "fix", id }), showLog: () => context?.send({ kind: "showLog" }) });
  const save = (name: string, dataUrl: string): void => context?.send({ kind: "save", name, dataUrl });
  const charts = [createChart(save), createChart(save)];
  const chartRow = h("div", { class: "charts" }, ...charts.map((c) => c.element));
  const begin = (): void => {
    const problem = form.fault();
    setText(fault, problem ?? "");
    if (!problem) context?.send({ kind: "train" });
  };
  const say = onChange((kind: StudioTraining["status"] | "none", text: string) =>
    fill(status, kind === "none" ? null : icon(icons[kind]), text),
  );
  const draw = onChange((training: StudioTraining) => {
    for (const [i, [axes, plot]] of trainingPlots(training).entries()) charts[i]?.update(axes, plot);
  });
  const element = section(
    "Train a patch",
    true,
    h("div", { class: "studio-row" }, form.element, h("figure", { class: "patch-side" }, pictureBox)),
    h("div", { class: "progress-row" }, h("div", { class: "buttons" }, start, cancel, fault), status, bar, track, figures),
    error.element,
    chartRow,
  );
  return {
    element,
    update(next) {
      context = next;
      const { state } = next;
      const { training, patch } = state;
      form.update(next);
      const running = training?.status === "running";
      enable(start, !running && state.models.length > 0 && state.sources.length > 0);
      setText(start, training ? "Train again" : "Train the patch");
      show(cancel, running);
      // The step changes ten times a second: a screen reader is told of the beginning and the end only.
      status.setAttribute("aria-live", running ? "off" : "polite");
      say(training?.status ?? "none", trainingText(training));
      const share = training && training.steps > 0 ? (training.history.at(-1)?.step ?? 0) / training.steps : 0;
      bar.value = share;
      show(track, running);
      show(bar, running);
      const done = track.firstElementChild;
      if (done instanceof HTMLElement) done.style.width = `${share * 100}%`;
      const shown = (running ? training.picture : null) ?? patch?.uri ?? training?.picture ?? null;
      show(pictureBox, shown !== null);
      if (shown && picture.src !== shown) picture.src = shown;
      picture.alt = running ? "The patch as it is now" : `Patch ${patch?.name ?? ""}`;
      const known = patch?.document?.training.figures;
      show(figures, known !== undefined && !running);
      if (known) setText(figures, figuresText(known, targetName(state)));
      error.update(training?.error ?? null);
      const history = training?.history ?? [];
      const plotted = history.length > 0 ? training : fromDocument(state);
      show(chartRow, plotted !== null);
      if (plotted) draw(plotted);
    },
  };
}

const kept = new WeakMap<object, StudioTraining>();
/** The curves of a patch that was trained earlier are in its document. */
function fromDocument({ patch }: Context["state"]): StudioTraining | null {
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
