import { count, duration, number, plural } from "../../../src/shared/format.ts";
import { fill, h, onChange, type Part, setText, show } from "../../lib/dom.ts";
import { icon } from "../../lib/ui.ts";
import { after8Bit, type Context, pictureNotes, type Verdict, verdict } from "../model.ts";

const icons: Readonly<Record<Verdict["kind"], string>> = {
  fooled: "warning",
  resisted: "shield",
  wrong: "error",
  running: "sync",
  none: "circle-slash",
};

/** The outcome in words, announced once; the norms and the check after rounding below. */
export function verdictLine(): Part<Context> {
  const line = h("p", { class: "verdict", attributes: { "aria-live": "polite" } });
  const facts = h("dl", { class: "facts" });
  const rounding = h("p", { class: "rounding" });
  const notes = h("p", { class: "muted" });
  const say = onChange((kind: Verdict["kind"], text: string) => {
    line.className = `verdict ${kind}`;
    fill(line, icon(icons[kind]), h("span", {}, text));
  });
  const told = onChange((text: string) => {
    show(notes, text !== "");
    setText(notes, text);
  });
  const details = onChange((result: Context["state"]["result"]) => {
    show(facts, result !== null);
    const rounded = result && after8Bit(result);
    show(rounding, rounded !== null);
    if (rounded) fill(rounding, icon(rounded.holds ? "check" : "circle-slash"), rounded.text);
    if (!result) return;
    const { norms } = result;
    fill(
      facts,
      fact("L∞", number(norms.linf), "Largest change of a pixel; images are in 0…1"),
      fact("L2", number(norms.l2), "Length of the change"),
      fact("pixels", `${count(norms.l0)} of ${count(result.size[0] * result.size[1])}`, "Pixels that changed"),
      fact("time", duration(result.seconds), plural(result.iterations, "iteration")),
      result.labelKnown ? null : fact("label", `${result.label.name} (the model's own)`, "The image has no known label"),
    );
  });
  return {
    element: h("section", { attributes: { "aria-label": "Verdict" } }, line, rounding, facts, notes),
    update({ state }) {
      const { kind, text } = verdict(state);
      say(kind, text);
      details(state.result);
      told(pictureNotes(state));
    },
  };
}

const fact = (name: string, value: string, title: string): HTMLElement => h("div", {}, h("dt", { title }, name), h("dd", {}, value));
