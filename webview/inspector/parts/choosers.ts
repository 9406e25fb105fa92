import { h, onChange, type Part, setText, show } from "../../lib/dom.ts";
import { icon } from "../../lib/ui.ts";
import { attackLabel, type Context } from "../model.ts";

/** Model and attack under the picture's name, each a button that opens the list of the others. */
export function choosers(choose: (kind: "chooseModel" | "chooseAttack") => void): Part<Context> {
  const model = chooser(() => choose("chooseModel"));
  const attack = chooser(() => choose("chooseAttack"));
  const between = h("span", { class: "muted", attributes: { "aria-hidden": "true" } }, " · ");
  const draw = onChange((modelLabel: string, attackText: string) => {
    model.set(modelLabel === "" ? "Choose model…" : modelLabel, "Model");
    attack.set(attackText, "Attack");
    for (const part of [between, attack.element]) show(part, attackText !== "");
  });
  return {
    element: h("p", { class: "subtitle" }, model.element, between, attack.element),
    update: ({ state }) => draw(state.model.label, state.status === "idle" || state.model.label === "" ? "" : attackLabel(state)),
  };
}

function chooser(press: () => void): { element: HTMLElement; set(text: string, what: string): void } {
  const words = h("span", {});
  const element = h("button", { class: "chooser", attributes: { type: "button" }, on: { click: press } }, words, icon("chevron-down"));
  return {
    element,
    set(text, what) {
      setText(words, text);
      element.title = text;
      element.setAttribute("aria-label", `${what}: ${text}. Choose another`);
    },
  };
}
