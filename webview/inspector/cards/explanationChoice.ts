import type { Pick } from "../../../src/shared/cards.ts";
import { entriesOf } from "../../../src/shared/catalog.ts";
import type { InspectorState } from "../../../src/shared/panels.ts";
import { h, onChange, type Part, show } from "../../lib/dom.ts";
import { parameterFields } from "../../lib/parameterFields.ts";
import { dropdown, section } from "../../lib/ui.ts";
import { explanationOf } from "../model.ts";

/** A parameter that is typed is tried when the typing pauses. */
const pauseMilliseconds = 300;
/** On show until the engine has said which one works for the model. */
const automatic = { value: "", text: "Automatic" };

/** The explanation, its layer and its other parameters; each change is a request of its own and attacks nothing. */
export function explanationChoice(ask: (explanation: Pick) => void): Part<InspectorState> {
  let shown: InspectorState | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const change = (params: Readonly<Record<string, unknown>>): void => {
    const now = shown && explanationOf(shown);
    if (now) ask({ id: now.id, params: { ...now.params, ...params } });
  };
  const method = dropdown("Explanation", (id) => id !== automatic.value && ask({ id, params: {} }));
  const layer = dropdown("Layer", (value) => change({ layer: value }));
  const fields = parameterFields((name, value) => {
    clearTimeout(timer);
    if (fields.fault() === null) timer = setTimeout(() => change({ [name]: value }), pauseMilliseconds);
  });
  const more = section("Options", false, fields.element);
  const adopt = onChange((id: string, _entries: number) => {
    const entry = shown?.catalog.find((e) => e.kind === "explanation" && e.id === id);
    // The layer has its own control above, with the names that the model has.
    const { layer: _layer, ...properties } = entry?.params.properties ?? {};
    fields.show(properties, (shown && explanationOf(shown)?.params) ?? {}, shown?.catalog ?? []);
    show(more, Object.keys(properties).length > 0);
  });
  return {
    element: h("div", { class: "stack" }, method.element, layer.element, more),
    update(state) {
      shown = state;
      const explanation = explanationOf(state);
      const result = state.cards.attention?.result ?? null;
      const methods = entriesOf(state.catalog, "explanation");
      show(method.element, methods.length > 0 && state.cards.attention !== undefined);
      show(more, methods.length > 0 && explanation !== null);
      const chosen = methods.find(({ id }) => id === explanation?.id);
      show(layer.element, chosen?.params.properties["layer"] !== undefined && typeof result?.layer === "string");
      const titles = methods.map((e) => ({ value: e.id, text: e.title }));
      method.set(explanation ? titles : [automatic, ...titles], explanation?.id ?? automatic.value);
      if (!explanation) return;
      if (result) {
        const wanted = explanation.params["layer"];
        layer.set(
          result.layers.map((name) => ({ value: name, text: name })),
          typeof wanted === "string" && wanted !== "" ? wanted : (result.layer ?? ""),
        );
      }
      adopt(explanation.id, state.catalog.length);
    },
  };
}
