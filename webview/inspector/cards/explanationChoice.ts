import type { AttentionResult, Pick } from "../../../src/shared/cards.ts";
import { entriesOf } from "../../../src/shared/catalog.ts";
import type { InspectorState } from "../../../src/shared/panels.ts";
import { h, onChange, type Part, show } from "../../lib/dom.ts";
import { parameterFields } from "../../lib/parameterFields.ts";
import { dropdown, section } from "../../lib/ui.ts";

interface Shown {
  readonly state: InspectorState;
  /** What was asked for; null before the first request. */
  readonly explanation: Pick | null;
  readonly result: AttentionResult | null;
}
/** A parameter that is typed is tried when the typing pauses. */
const pauseMilliseconds = 300;

/** The explanation, its layer and its other parameters; each change is a request of its own and attacks nothing. */
export function explanationChoice(ask: (explanation: Pick) => void): Part<Shown> {
  let shown: Shown | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const change = (params: Readonly<Record<string, unknown>>): void => {
    const now = shown?.explanation;
    if (now) ask({ id: now.id, params: { ...now.params, ...params } });
  };
  const method = dropdown("Explanation", (id) => ask({ id, params: {} }));
  const layer = dropdown("Layer", (value) => change({ layer: value }));
  const fields = parameterFields((name, value) => {
    clearTimeout(timer);
    if (fields.fault() === null) timer = setTimeout(() => change({ [name]: value }), pauseMilliseconds);
  });
  const more = section("Options", false, fields.element);
  const adopt = onChange((id: string, _entries: number) => {
    const entry = shown?.state.catalog.find((e) => e.kind === "explanation" && e.id === id);
    // The layer has its own control above, with the names that the model has.
    const { layer: _layer, ...properties } = entry?.params.properties ?? {};
    fields.show(properties, shown?.explanation?.params ?? {}, shown?.state.catalog ?? []);
    show(more, Object.keys(properties).length > 0);
  });
  return {
    element: h("div", { class: "stack" }, method.element, layer.element, more),
    update(next) {
      shown = next;
      const { state, explanation, result } = next;
      const methods = entriesOf(state.catalog, "explanation");
      for (const part of [method.element, more]) show(part, methods.length > 0 && explanation !== null);
      const chosen = methods.find(({ id }) => id === explanation?.id);
      show(layer.element, chosen?.params.properties["layer"] !== undefined && typeof result?.layer === "string");
      if (!explanation) return;
      method.set(
        methods.map((e) => ({ value: e.id, text: e.title })),
        explanation.id,
      );
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
