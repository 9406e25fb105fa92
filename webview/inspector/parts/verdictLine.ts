import { count, duration, epsilon, number, plural } from "../../../src/shared/format.ts";
import { fill, h, onChange, type Part, setText, show } from "../../lib/dom.ts";
import { icon } from "../../lib/ui.ts";
import { after8Bit, type Context, radiusText, type Shown, shownOf, type Verdict, verdict } from "../model.ts";
import { labelRow } from "./labelRow.ts";

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
  const label = labelRow();
  const say = onChange((kind: Verdict["kind"], text: string, radius: string) => {
    line.className = `verdict ${kind}`;
    fill(line, icon(icons[kind]), h("span", {}, text), radius === "" ? null : h("span", { class: "verdict-radius" }, radius));
  });
  const sentence = (element: HTMLElement) =>
    onChange((text: string) => {
      show(element, text !== "");
      setText(element, text);
    });
  const sayHow = sentence(how);
  const details = onChange((result: Context["state"]["result"], iteration: number | null, norms: Shown["norms"]) => {
    show(facts, norms !== null);
    const rounded = result && iteration === null && after8Bit(result);
    show(rounding, Boolean(rounded));
    if (rounded) fill(rounding, icon(rounded.holds ? "check" : "circle-slash"), rounded.text);
    if (norms) fill(facts, ...factsOf(result, iteration, norms));
  });
  return {
    element: h("section", { attributes: { "aria-label": "Verdict" } }, line, label.element, rounding, facts, how),
    update(context) {
      const { state, local } = context;
      const shown = shownOf(state, local.scrub);
      const { kind, text } = verdict(state, shown);
      // The slider says what an iteration is: announcing each as well would talk over it.
      line.setAttribute("aria-live", local.scrub === null ? "polite" : "off");
      say(kind, text, state.status === "running" ? "" : radiusText(state));
      label.update(context);
      details(state.result, shown.iteration, shown.norms);
      const { how: way, upperBound } = state.result ?? {};
      sayHow([way ? `Adaptive attack: ${way}.` : "", upperBound ?? ""].filter(Boolean).join(" "));
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
