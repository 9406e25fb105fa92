import { h, onChange, type Part, setText, show } from "../../lib/dom.ts";
import { icon } from "../../lib/ui.ts";
import { attackLabel, type Context, classesText } from "../model.ts";

/** Model, attack and class names under the picture's name, each a button that opens the list of the others. */
export function choosers(choose: (kind: "chooseModel" | "chooseAttack" | "chooseClasses") => void): Part<Context> {
  const model = chooser(() => choose("chooseModel"));
  const attack = chooser(() => choose("chooseAttack"));
  const classes = chooser(() => choose("chooseClasses"));
  const draw = onChange((modelLabel: string, attackText: string, classesText: string) => {
    model.set(modelLabel === "" ? "Choose model…" : modelLabel, "Model");
    attack.set(attackText, "Attack");
    show(attack.element, attackText !== "");
    classes.set(classesText, "Class names");
    show(classes.element, modelLabel !== "");
  });
  return {
    element: h("p", { class: "subtitle" }, model.element, attack.element, classes.element),
    update({ state }) {
      const { label } = state.model;
      draw(label, state.status === "idle" || label === "" ? "" : attackLabel(state), classesText(state));
    },
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
