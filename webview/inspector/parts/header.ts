import type { InspectorIntent } from "../../../src/shared/panels.ts";
import { h, onChange, type Part, setText, show } from "../../lib/dom.ts";
import { button, enable, progressRing } from "../../lib/ui.ts";
import { type Context, progressText } from "../model.ts";
import { choosers } from "./choosers.ts";
import { exportMenu } from "./exportMenu.ts";

/** What is attacked, with what, and the buttons. */
export function header(panelAsPng: () => string | null, rerunNow: () => void): Part<Context> {
  const title = h("h1", {});
  const parts = choosers((kind) => context?.send({ kind }));
  const ring = h("span", { class: "header-progress" }, progressRing("Attack running"));
  const share = h("span", { class: "muted" });
  let context: Context | null = null;
  const rerun = button("Re-run", rerunNow, { icon: "refresh", label: "Run the attack again, with the parameters of the form" });
  const attack = button("Attack", rerunNow, {
    icon: "shield",
    appearance: "primary",
    label: "Attack the image, with the parameters of the form",
  });
  const explain = button("Explain", () => context?.send(explainIntent), { icon: "eye", label: "Show where the model looks" });
  const cancel = button("Cancel", () => context?.send({ kind: "cancel" }), { icon: "debug-stop", label: "Cancel the attack (Esc)" });
  const studio = button("Patch…", () => context?.send({ kind: "openPatchStudio" }), {
    icon: "symbol-color",
    label: "Place or train an adversarial patch for this image in the Patch Studio",
  });
  const menu = exportMenu((format) => {
    if (format === "panel") {
      const dataUrl = panelAsPng();
      if (dataUrl) context?.send({ kind: "export", format, dataUrl });
    } else context?.send({ kind: "export", format });
  });
  const texts = onChange((name: string) => {
    setText(title, name);
    title.title = name;
  });
  return {
    element: h(
      "header",
      { class: "panel-header" },
      h("div", { class: "titles" }, title, parts.element),
      h("div", { class: "buttons" }, ring, share, attack, explain, rerun, cancel, studio, menu.element),
    ),
    update(next) {
      context = next;
      const { state } = next;
      const running = state.status === "running";
      texts(state.title);
      parts.update(next);
      show(ring, running);
      show(share, running && state.progress !== null);
      if (state.progress) setText(share, progressText(state.progress));
      show(attack, !running && state.result === null && state.status !== "asked");
      show(explain, !running && state.cards.attention === undefined);
      show(rerun, !running && state.result !== null);
      show(cancel, running);
      enable(menu.button, state.result !== null);
    },
  };
}

/** By the explanation that works for the model. */
const explainIntent: InspectorIntent = { kind: "card", id: "attention", params: { explanation: null, iteration: null } };
