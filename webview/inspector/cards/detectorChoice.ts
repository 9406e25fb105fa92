import type { Pick } from "../../../src/shared/cards.ts";
import { entriesOf } from "../../../src/shared/catalog.ts";
import type { InspectorState } from "../../../src/shared/panels.ts";
import { fill, h, onChange, type Part, setText, show } from "../../lib/dom.ts";
import { defaultsOf, type Properties, parameterFields, runOnEnter } from "../../lib/parameterFields.ts";
import { button, dropdown, enable, faultLine, icon, section } from "../../lib/ui.ts";

/** The detector that is offered first where it is there. */
const usual = "varianceMinimization";

interface Draft {
  readonly id: string;
  readonly values: Record<string, unknown>;
}

/** The detector with its parameters, and the button that runs it. A single pass is said to be of no use before it is run. */
export function detectorChoice(run: (detector: Pick) => void): Part<InspectorState> {
  let shown: InspectorState | null = null;
  let draft: Draft = { id: "", values: {} };
  const propertiesOf = (id: string): Properties =>
    shown?.catalog.find((e) => e.kind === "detector" && e.id === id)?.params.properties ?? {};
  const fields = parameterFields((name, value) => {
    draft.values[name] = value;
    changed();
  });
  const choice = dropdown("Detector", (id) => begin(id, {}));
  const start = button("Run the detector", () => runNow(), { icon: "play", appearance: "primary" });
  const wrong = faultLine();
  const note = h("p", { class: "muted", attributes: { "aria-live": "polite" } });
  const onePass = onePassCard((runs) => {
    begin(draft.id, { ...draft.values, runs });
    start.focus();
  });
  const runNow = (): void => {
    if (!start.hasAttribute("disabled")) run({ id: draft.id, params: { ...draft.values } });
  };
  const begin = (id: string, given: Readonly<Record<string, unknown>>): void => {
    const properties = propertiesOf(id);
    draft = { id, values: { ...defaultsOf(properties), ...given } };
    fields.show(properties, draft.values, shown?.catalog ?? []);
    show(settings, Object.keys(properties).length > 0);
    changed();
  };
  const changed = (): void => {
    if (!shown) return;
    const fault = fields.fault();
    const entries = entriesOf(shown.catalog, "detector");
    choice.set(
      entries.map(({ id, title }) => ({ value: id, text: title })),
      draft.id,
    );
    wrong.update(fault);
    enable(start, fault === null && draft.id !== "" && shown.status !== "running");
    setText(note, fault === null && isDirty(shown, draft, propertiesOf(draft.id)) ? "Changed: Enter runs the detector again." : "");
    const usualRuns = propertiesOf(draft.id)["runs"]?.default;
    onePass.update(draft.values["runs"] === 1 && typeof usualRuns === "number" ? usualRuns : null);
  };
  // What was asked for replaces the draft only when it is another request than the last one: typing goes on while a detector runs.
  const adopt = onChange((key: string, _entries: number) => {
    const { id, params } = JSON.parse(key) as Pick;
    begin(id, params);
  });
  const settings = section("Settings", false, fields.element);
  const buttons = h("div", { class: "buttons" }, start, note);
  return {
    element: runOnEnter(h("div", { class: "stack" }, choice.element, settings, wrong.element, onePass.element, buttons), runNow),
    update(state) {
      shown = state;
      adopt(JSON.stringify(state.cards.detection?.params.detector ?? { id: firstOf(state), params: {} }), state.catalog.length);
      changed();
    },
  };
}

function firstOf({ catalog }: InspectorState): string {
  const known = entriesOf(catalog, "detector");
  return (known.find(({ id }) => id === usual) ?? known[0])?.id ?? "";
}

function isDirty({ cards: { detection } }: InspectorState, { id, values }: Draft, properties: Properties): boolean {
  const asked = detection?.params.detector;
  const inOrder = (of: Readonly<Record<string, unknown>>): string =>
    JSON.stringify(Object.keys(properties).map((name) => of[name] ?? properties[name]?.default));
  return asked !== undefined && (asked.id !== id || inOrder(asked.params) !== inOrder(values));
}

/** What a single pass leads to, and a button for the usual number of them; null hides it. */
function onePassCard(use: (runs: number) => void): Part<number | null> {
  const element = h("div", { class: "card warning", attributes: { role: "status" } });
  const draw = onChange((runs: number | null) => {
    show(element, runs !== null);
    if (runs === null) return;
    const words = h("p", {}, h("strong", {}, "One pass gives one vote, and the entropy of one vote is always 0."));
    const mend = button(`Use ${runs} passes`, () => use(runs), { appearance: "primary" });
    fill(element, icon("warning"), h("div", { class: "card-text" }, words, h("div", { class: "buttons" }, mend)));
  });
  draw(null);
  return { element, update: draw };
}
