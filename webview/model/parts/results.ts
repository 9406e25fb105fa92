import type { ModelIntent, ModelState } from "../../../src/shared/pages.ts";
import { fill, h, onChange, type Part } from "../../lib/dom.ts";
import { button } from "../../lib/ui.ts";

/** Runs of this model, newest first; each opens. */
export function results(send: (intent: ModelIntent) => void): Part<ModelState> {
  const element = h("section", { attributes: { "aria-label": "Previous results" } });
  const draw = onChange((found: ModelState["results"]) => {
    const lines = found.map(({ run, title, headline, age }) =>
      h(
        "li",
        { class: "result-line" },
        h("div", {}, h("strong", {}, title), h("p", { class: "muted" }, [headline, age].filter(Boolean).join(" · "))),
        button("Open", () => send({ kind: "openRun", run }), { label: `Open ${title}` }),
      ),
    );
    fill(
      element,
      h("h2", {}, "Previous results"),
      found.length === 0
        ? h("p", { class: "muted" }, "This model has not been evaluated or attacked yet.")
        : h("ul", { class: "plain" }, ...lines),
    );
  });
  return { element, update: ({ results: found }) => draw(found) };
}
