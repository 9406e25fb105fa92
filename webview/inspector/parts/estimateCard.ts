import { h, onChange, type Part, setText, show } from "../../lib/dom.ts";
import { button, icon } from "../../lib/ui.ts";
import { type Context, estimateText } from "../model.ts";

/** What a long attack would take, before it starts. `start` is the button that starts it. */
export function estimateCard(): Part<Context> & { readonly start: HTMLElement } {
  let send: Context["send"] = () => undefined;
  const text = h("strong", {});
  const start = button("Attack", () => send({ kind: "start" }), { icon: "shield", appearance: "primary" });
  const other = button("Choose another…", () => send({ kind: "chooseAttack" }), { label: "Choose another attack" });
  const dismiss = button("Dismiss", () => send({ kind: "dismiss" }), { label: "Dismiss: do not attack (Esc)" });
  const words = h("div", { class: "card-text" }, h("p", {}, text), h("div", { class: "buttons" }, start, other, dismiss));
  const element = h("div", { class: "card info", attributes: { role: "status" } }, icon("watch"), words);
  show(element, false);
  const draw = onChange((sentence: string) => {
    show(element, sentence !== "");
    setText(text, sentence);
  });
  return {
    element,
    start,
    update(context) {
      const { status, estimate } = context.state;
      send = context.send;
      draw(status === "asked" && estimate ? estimateText(estimate) : "");
    },
  };
}
