import { type AppliedFit, type FitRule, fitNames, fitRules, isFitRule } from "../../../src/shared/fit.ts";
import { h, onChange, type Part, setText, show } from "../../lib/dom.ts";
import { dropdown } from "../../lib/ui.ts";
import { type Context, fitOf, pictureNotes } from "../model.ts";

const choices = fitRules.map((rule) => ({ value: rule, text: fitNames[rule] }));

/** What was done to the picture before the model saw it; where its size was another one, the rule can be changed in place. */
export function fitRow(): Part<Context> {
  let context: Context | null = null;
  // While the attack runs again nothing is known yet: the choice stays where it is.
  let last: AppliedFit | null = null;
  const notes = h("span", { class: "muted" });
  const choice = dropdown("Fit", (value) => {
    if (isFitRule(value)) context?.send({ kind: "fit", rule: value });
  });
  const element = h("div", { class: "fit-row" }, notes, choice.element);
  const draw = onChange((text: string, rule: FitRule | null) => {
    show(element, text !== "" || rule !== null);
    setText(notes, text);
    show(choice.element, rule !== null);
    if (rule) choice.set(choices, rule);
  });
  return {
    element,
    update(next) {
      context = next;
      const { state } = next;
      const fit = fitOf(state) ?? (state.status === "running" ? last : null);
      last = fit;
      draw(pictureNotes(state), fit && (state.result ? fit.rule : (state.fit ?? fit.rule)));
    },
  };
}
