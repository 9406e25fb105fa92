import { progressPercent } from "../../../src/shared/format.ts";
import { checkText } from "../../../src/shared/modelCheck.ts";
import type { ModelCheckState, ModelIntent, ModelState } from "../../../src/shared/pages.ts";
import { errorCard } from "../../lib/cards.ts";
import { fill, h, onChange, type Part, show } from "../../lib/dom.ts";
import { button, icon, progressRing } from "../../lib/ui.ts";

/** What only weights and scores show: that they are numbers, and that an ONNX file computes here what it computes in ONNX Runtime. */
export function check(send: (intent: ModelIntent) => void): Part<ModelState> {
  const line = h("div", { class: "check-line", attributes: { role: "status" } });
  const error = errorCard(send);
  const element = h("section", {}, h("h2", {}, "Check after import"), line, error.element);
  const again = (text: string): HTMLElement => button(text, () => send({ kind: "check" }), { icon: "refresh" });
  const stop = button("Cancel", () => send({ kind: "cancelCheck" }), { icon: "stop-circle", label: "Cancel the check" });
  const ring = progressRing("Checking the model");
  const text = h("span", { attributes: { title: "Largest difference of a score, as a share of the largest score of the picture" } });
  const beside = (name: string): HTMLElement => h("span", {}, icon(name), " ", text);
  const draw = onChange((state: ModelCheckState | null) => {
    show(element, state !== null);
    if (!state) return;
    text.textContent = textOf(state);
    if (state.status === "running") fill(line, ring, text, stop);
    else if (state.status === "done") fill(line, beside("pass"));
    else fill(line, beside(state.status === "failed" ? "error" : "circle-slash"), again("Check Again"));
    error.update(state.error);
  });
  return { element, update: (state) => draw(state.check) };
}

function textOf({ status, update, result }: ModelCheckState): string {
  if (status === "done" && result)
    return [checkText(result), ...(result.warnings ?? []), ...result.notes.map((note) => `Note: ${note}.`)].join(" ");
  if (status === "failed") return "The check failed.";
  if (status === "cancelled") return "Not checked: weights and scores were not looked at.";
  if (!update) return "Checking…";
  return `${update.stage === "weights" ? "Reading the weights" : "Comparing scores with ONNX Runtime"}: ${progressPercent(update.share)}`;
}
