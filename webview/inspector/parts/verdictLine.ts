import { count, duration, epsilon, number, plural } from "../../../src/shared/format.ts";
import { noLabelText } from "../../../src/shared/verdict.ts";
import { fill, h, onChange, type Part, setText, show } from "../../lib/dom.ts";
import { button, icon, setButtonText } from "../../lib/ui.ts";
import { after8Bit, type Context, labelLine, pictureNotes, type Shown, shownOf, type Verdict, verdict } from "../model.ts";

const icons: Readonly<Record<Verdict["kind"], string>> = {
  fooled: "warning",
  reached: "warning",
  resisted: "shield",
  notReached: "shield",
  alreadyWrong: "error",
  alreadyTarget: "info",
  repaired: "wand",
  running: "sync",
  none: "circle-slash",
};

/** The outcome in words, announced once; the norms and the check after rounding below. While scrubbing, both are of the iteration on show. */
export function verdictLine(): Part<Context> {
  const line = h("p", { class: "verdict", attributes: { "aria-live": "polite" } });
  const facts = h("dl", { class: "facts" });
  const rounding = h("p", { class: "rounding" });
  const how = h("p", { class: "muted" });
  const notes = h("p", { class: "muted" });
  let send: Context["send"] = () => undefined;
  const label = h("span");
  const choose = button("", () => send({ kind: "chooseLabel" }), { label: "Choose the true class of the picture from a list" });
  const labelRow = h("p", { class: "label-row" }, label, choose);
  const say = onChange((kind: Verdict["kind"], text: string) => {
    line.className = `verdict ${kind}`;
    fill(line, icon(icons[kind]), h("span", {}, text));
  });
  const sentence = (element: HTMLElement) =>
    onChange((text: string) => {
      show(element, text !== "");
      setText(element, text);
    });
  const sayLabel = onChange((text: string, canChoose: boolean) => {
    show(labelRow, text !== "" || canChoose);
    show(choose, canChoose);
    setText(label, text);
    setButtonText(choose, text === "" || text === noLabelText ? "Choose label…" : "Change label…");
  });
  const [sayHow, sayNotes] = [sentence(how), sentence(notes)];
  const details = onChange((result: Context["state"]["result"], iteration: number | null, norms: Shown["norms"]) => {
    show(facts, norms !== null);
    const rounded = result && iteration === null && after8Bit(result);
    show(rounding, Boolean(rounded));
    if (rounded) fill(rounding, icon(rounded.holds ? "check" : "circle-slash"), rounded.text);
    if (norms) fill(facts, ...factsOf(result, iteration, norms));
  });
  return {
    element: h("section", { attributes: { "aria-label": "Verdict" } }, line, labelRow, rounding, facts, how, notes),
    update({ state, local, send: sending }) {
      send = sending;
      const shown = shownOf(state, local.scrub);
      const { kind, text } = verdict(state, shown);
      // The slider says what an iteration is: announcing each as well would talk over it.
      line.setAttribute("aria-live", local.scrub === null ? "polite" : "off");
      say(kind, text);
      sayLabel(labelLine(state), state.result !== null && state.status !== "running");
      details(state.result, shown.iteration, shown.norms);
      sayHow(state.result?.how ? `Adaptive attack: ${state.result.how}.` : "");
      sayNotes(pictureNotes(state));
    },
  };
}

function factsOf(result: Context["state"]["result"], iteration: number | null, norms: NonNullable<Shown["norms"]>): (HTMLElement | null)[] {
  const pixels = result ? `${count(norms.l0)} of ${count(result.size[0] * result.size[1])}` : count(norms.l0);
  return [
    fact("L∞", epsilon(norms.linf), "Largest change of a pixel; images are in 0…1"),
    fact("L2", number(norms.l2), "Length of the change"),
    fact("Pixels", pixels, "Pixels that changed"),
    result && iteration === null ? fact("Time", duration(result.seconds), plural(result.iterations, "iteration")) : null,
  ];
}

const fact = (name: string, value: string, title: string): HTMLElement => h("div", {}, h("dt", { title }, name), h("dd", {}, value));
