import { noLabelText } from "../../../src/shared/verdict.ts";
import { h, onChange, type Part, setText, show } from "../../lib/dom.ts";
import { button, setButtonText } from "../../lib/ui.ts";
import { type Context, labelLine } from "../model.ts";

/** Whose label the verdict goes by, and a button to choose it. */
export function labelRow(): Part<Context> {
  let send: Context["send"] = () => undefined;
  const label = h("span");
  const choose = button("Choose label…", () => send({ kind: "chooseLabel" }), {
    label: "Choose the true class of the picture from a list",
  });
  const element = h("p", { class: "label-row" }, label, choose);
  const say = onChange((text: string, canChoose: boolean) => {
    show(element, text !== "" || canChoose);
    show(choose, canChoose);
    setText(label, text);
    setButtonText(choose, text === "" || text === noLabelText ? "Choose label…" : "Change label…");
  });
  return {
    element,
    update(context) {
      const { state } = context;
      send = context.send;
      say(labelLine(state), state.result !== null && state.status !== "running");
    },
  };
}
