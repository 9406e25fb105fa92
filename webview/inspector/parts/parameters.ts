import { entriesOf, type ParameterSchema } from "../../../src/shared/catalog.ts";
import type { InspectorState } from "../../../src/shared/panels.ts";
import { fill, h, onChange, type Part, show } from "../../lib/dom.ts";
import { type Control, control } from "../../lib/parameterControl.ts";
import { button, type Choice, dropdown, enable, section } from "../../lib/ui.ts";
import type { Context } from "../model.ts";

type Values = Record<string, unknown>;
interface Draft {
  readonly id: string;
  readonly params: Values;
}
/** The layer has its own dropdown beside the attention pictures. */
const shownElsewhere = "layer";

/** The parameters of the attack and of the attention as their schemas have them. What is changed is tried with Enter or Re-run. */
export function parameters(): Part<Context> & { rerun(): void } {
  let context: Context | null = null;
  let attack: Draft = { id: "", params: {} };
  let explanation: Draft = { id: "", params: {} };
  let controls: readonly Control[] = [];
  const fields = h("div", { class: "fields" });
  const attentionFields = h("div", { class: "fields" });
  const run = button("Re-run with these", () => rerun(), { icon: "play", appearance: "primary" });
  const reset = button("All defaults", () => begin(attack.id, {}, {}), { icon: "discard" });
  const choice = dropdown("attack", (id) => begin(id, {}, explanation.params));
  const status = h("p", { class: "muted", attributes: { "aria-live": "polite" } });
  const attentionSection = section("Attention", false, attentionFields);
  const changed = (): void => {
    const faults = controls.map((c) => c.fault()).filter((text) => text !== null);
    enable(run, faults.length === 0);
    const dirty = context !== null && isDirty(context.state, attack, explanation);
    status.textContent = faults[0] ?? (dirty ? "Changed: Enter runs the attack again." : "");
  };
  const begin = (id: string, attackParams: Readonly<Values>, explanationParams: Readonly<Values>): void => {
    if (!context) return;
    const { catalog, explanation: explained } = context.state;
    const [own, seen] = [propertiesOf(catalog, "attack", id), propertiesOf(catalog, "explanation", explained.id)];
    attack = { id, params: { ...defaultsOf(own), ...attackParams } };
    explanation = { id: explained.id, params: { ...defaultsOf(seen), ...explanationParams } };
    const attackControls = controlsOf(own, attack.params, changed);
    const attentionControls = controlsOf(seen, explanation.params, changed).filter((c) => c.name !== shownElsewhere);
    controls = [...attackControls, ...attentionControls];
    const advanced = attackControls.filter((c) => c.advanced).map((c) => c.element);
    fill(
      fields,
      ...attackControls.filter((c) => !c.advanced).map((c) => c.element),
      advanced.length > 0 && section("More", false, ...advanced),
    );
    fill(attentionFields, ...attentionControls.map((c) => c.element));
    show(attentionSection, attentionControls.length > 0);
    choice.set(attacksOf(catalog), id);
    changed();
  };
  const rerun = (): void => {
    if (context && !run.hasAttribute("disabled")) context.send({ kind: "rerun", attack, explanation });
  };
  // The host's parameters replace the draft only when they are other ones: typing goes on while an attack streams.
  const adopt = onChange((id: string, _key: string) =>
    begin(id, context?.state.attack.params ?? {}, context?.state.explanation.params ?? {}),
  );
  const buttons = h("div", { class: "buttons" }, run, reset, status);
  const element = h("div", { class: "parameters" }, choice.element, fields, attentionSection, buttons);
  runOnEnter(element, rerun);
  return {
    element,
    rerun,
    update(next) {
      context = next;
      const { catalog, attack: asked, explanation: explained } = next.state;
      show(element, catalog.length > 0);
      adopt(asked.id, JSON.stringify([asked.params, explained, catalog.length]));
      changed();
    },
  };
}

type Properties = Readonly<Record<string, ParameterSchema>>;
const propertiesOf = (catalog: InspectorState["catalog"], kind: "attack" | "explanation", id: string): Properties =>
  catalog.find((e) => e.kind === kind && e.id === id)?.params.properties ?? {};
const attacksOf = (catalog: InspectorState["catalog"]): readonly Choice[] =>
  entriesOf(catalog, "attack").map((e) => ({ value: e.id, text: e.title }));
const defaultsOf = (properties: Properties): Values =>
  Object.fromEntries(Object.entries(properties).flatMap(([name, p]) => (p.default === undefined ? [] : [[name, p.default]])));

const controlsOf = (properties: Properties, values: Values, changed: () => void): readonly Control[] =>
  Object.entries(properties).map(([name, schema]) =>
    control(name, schema, values[name], (value) => {
      if (value === null || value === undefined) delete values[name];
      else values[name] = value;
      changed();
    }),
  );

function isDirty({ attack, explanation, catalog }: InspectorState, asked: Draft, explained: Draft): boolean {
  const full = (draft: { readonly id: string; readonly params: Readonly<Values> }, kind: "attack" | "explanation"): string =>
    JSON.stringify({ ...defaultsOf(propertiesOf(catalog, kind, draft.id)), ...draft.params });
  return (
    attack.id !== asked.id ||
    full(attack, "attack") !== full(asked, "attack") ||
    full(explanation, "explanation") !== full(explained, "explanation")
  );
}

function runOnEnter(element: HTMLElement, run: () => void): void {
  element.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !(event.target instanceof HTMLElement) || !event.target.closest(".field-row")) return;
    if (event.target.closest("vscode-dropdown, vscode-button")) return;
    event.preventDefault();
    run();
  });
}
