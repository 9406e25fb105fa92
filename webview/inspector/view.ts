import type { InspectorIntent, InspectorState } from "../../src/shared/panels.ts";
import { errorCard, findingsList, type ListedFinding } from "../lib/cards.ts";
import { h, show } from "../lib/dom.ts";
import { button, section } from "../lib/ui.ts";
import { createCards } from "./cards/index.ts";
import { keptPlace } from "./keptPlace.ts";
import { type Context, type Local, runningCards, shownOf } from "./model.ts";
import { panelImage } from "./panelImage.ts";
import { estimateCard } from "./parts/estimateCard.ts";
import { fitRow } from "./parts/fitRow.ts";
import { header } from "./parts/header.ts";
import { parameters } from "./parts/parameters.ts";
import { pictures } from "./parts/pictures.ts";
import { scores } from "./parts/scores.ts";
import { scrubber } from "./parts/scrubber.ts";
import { verdictLine } from "./parts/verdictLine.ts";

/** The Inspector: one image, one model, and an attack if there was one. */
export function createView(send: (intent: InspectorIntent) => void): { element: HTMLElement; update(state: InspectorState): void } {
  const local: Local = { amplify: "auto", scrub: null, opacity: 0.6, slice: null, rankedImage: "clean" };
  let state: InspectorState | null = null;
  const error = errorCard(send);
  const findings = findingsList(null, actionsOf(send));
  const pictureRow = pictures();
  const cards = createCards(send);
  const form = parameters();
  const asPng = (): string | null => {
    if (!state) return null;
    const shown = shownOf(state, local.scrub);
    const isSame = (state.cards.attention?.params.iteration ?? null) === (state.result ? shown.iteration : null);
    const attention = isSame && state.cards.attention?.status === "done" ? cards.beside.canvases() : [];
    return panelImage(state, shown, { pictures: pictureRow.canvases(), differenceEnd: pictureRow.differenceEnd(), attention });
  };
  const top = header(asPng, form.rerun);
  const line = verdictLine();
  const inBody = [pictureRow, line, fitRow(), scrubber(), cards.beside, scores()];
  const estimate = estimateCard();
  const body = h("div", { class: "inspector-body" }, ...inBody.map((part) => part.element));
  const last = [findings.element, section("Parameters", false, form.element), ...cards.sections.map((card) => card.element)];
  const element = h("main", { class: "panel inspector" }, top.element, error.element, estimate.element, body, ...last);
  const place = keptPlace(element, estimate.start);
  const draw = (): void => {
    if (!state) return;
    const context: Context = {
      state,
      local,
      send,
      set(change) {
        Object.assign(local, change);
        draw();
      },
    };
    for (const part of [top, estimate, ...inBody, form, ...cards.sections]) part.update(context);
    error.update(state.error);
    findings.update(state.result?.findings ?? []);
    // Where nobody asked for an attack there is nothing to compare: the cards have the picture.
    show(pictureRow.element, state.status !== "idle" && state.status !== "asked");
    show(body, state.error === null || state.clean !== null || state.result !== null);
  };
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !state || event.defaultPrevented) return;
    if (state.status === "running") send({ kind: "cancel" });
    else if (state.status === "asked") send({ kind: "dismiss" });
    else for (const id of runningCards(state)) send({ kind: "cancelCard", id });
  });
  return {
    element,
    update(next) {
      const isNew = next.runId !== state?.runId || (next.status === "running" && state.status !== "running");
      if (isNew) Object.assign(local, { scrub: null, slice: null });
      state = next;
      place.before(next);
      draw();
      place.after(next);
    },
  };
}

/** A finding about how the model takes its images has its ways out beside it. */
const actionsOf =
  (send: (intent: InspectorIntent) => void) =>
  ({ rule }: ListedFinding): HTMLElement[] =>
    aboutContract.has(rule)
      ? [
          button("Probe…", () => send({ kind: "probeContract" }), { label: "Probe the input range with labelled pictures" }),
          button("Edit contract", () => send({ kind: "editContract" }), { icon: "edit" }),
        ]
      : [];
const aboutContract: ReadonlySet<string> = new Set(["RB101", "RB108", "RB111", "RB112", "RB113"]);
