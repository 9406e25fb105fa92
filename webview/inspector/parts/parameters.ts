import { entriesOf } from "../../../src/shared/catalog.ts";
import { fill, h, onChange, type Part, show } from "../../lib/dom.ts";
import { button, dropdown, enable, section } from "../../lib/ui.ts";
import type { Context } from "../model.ts";
import { type Control, control } from "./parameterControl.ts";

type Values = Record<string, unknown>;

/** The attack's parameters as its schema has them. What is changed is tried with Enter or Re-run. */
export function parameters(): Part<Context> {
  let context: Context | null = null;
  let draft: { id: string; params: Values } = { id: "", params: {} };
  let controls: Control[] = [];
  const fields = h("div", { class: "fields" });
  const run = button("Re-run with these", () => send(), { icon: "play", appearance: "primary" });
  const reset = button("All defaults", () => begin(draft.id, {}), { icon: "discard" });
  const attack = dropdown("attack", (id) => begin(id, {}));
  const status = h("p", { class: "muted", attributes: { "aria-live": "polite" } });
  const changed = (): void => {
    const faults = controls.map((c) => c.fault()).filter((text) => text !== null);
    enable(run, faults.length === 0);
    const from = context?.state.attack;
    const dirty = from !== undefined && (from.id !== draft.id || JSON.stringify(from.params) !== JSON.stringify(draft.params));
    status.textContent = faults[0] ?? (dirty ? "Changed: Enter runs the attack again." : "");
  };
  const begin = (id: string, params: Readonly<Values>): void => {
    const properties = context?.state.catalog.find((e) => e.kind === "attack" && e.id === id)?.params.properties ?? {};
    const defaults = Object.fromEntries(
      Object.entries(properties).flatMap(([name, p]) => (p.default === undefined ? [] : [[name, p.default]])),
    );
    draft = { id, params: { ...defaults, ...params } };
    controls = Object.entries(properties).map(([name, schema]) =>
      control(name, schema, draft.params[name], (value) => {
        draft.params[name] = value;
        changed();
      }),
    );
    const [basic, advanced] = [controls.filter((c) => !c.advanced), controls.filter((c) => c.advanced)];
    fill(fields, ...basic.map((c) => c.element), advanced.length > 0 && section("More", false, ...advanced.map((c) => c.element)));
    attack.set(options(context), id);
    changed();
  };
  const send = (): void => {
    if (context && !run.hasAttribute("disabled")) context.send({ kind: "rerun", attack: draft, explanation: context.state.explanation });
  };
  // The host's parameters replace the draft only when they are other ones: typing goes on while an attack streams.
  const adopt = onChange((id: string, _key: string) => begin(id, context?.state.attack.params ?? {}));
  const element = h("div", { class: "parameters" }, attack.element, fields, h("div", { class: "buttons" }, run, reset, status));
  element.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !(event.target instanceof HTMLElement) || !event.target.closest(".field-row")) return;
    if (event.target.closest("vscode-dropdown, vscode-button")) return;
    event.preventDefault();
    send();
  });
  return {
    element,
    update(next) {
      context = next;
      show(element, next.state.catalog.length > 0);
      adopt(next.state.attack.id, JSON.stringify([next.state.attack.params, next.state.catalog.length]));
      changed();
    },
  };
}

const options = (context: Context | null) => entriesOf(context?.state.catalog ?? [], "attack").map((e) => ({ value: e.id, text: e.title }));
