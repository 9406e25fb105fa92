import type { Pick } from "../../../src/shared/cards.ts";
import { entriesOf } from "../../../src/shared/catalog.ts";
import type { InspectorState } from "../../../src/shared/panels.ts";
import type { AttackImageResult } from "../../../src/shared/protocol.ts";
import { defenseChain, frontDefenses } from "../../lib/defenseChain.ts";
import { h, onChange, type Part, show } from "../../lib/dom.ts";
import { defaultsOf, type Properties, parameterFields, runOnEnter } from "../../lib/parameterFields.ts";
import { button, type Choice, dropdown, enable, faultLine, section, setButtonText } from "../../lib/ui.ts";
import { type Context, targetLine } from "../model.ts";

type Values = Record<string, unknown>;
interface Draft {
  id: string;
  values: Values;
}

/** The attack, its parameters as their schema has them, and the defences that it goes through. What is changed is tried with Enter or Re-run. */
export function parameters(): Part<Context> & { rerun(): void } {
  let context: Context | null = null;
  const draft: Draft = { id: "", values: {} };
  const fields = parameterFields((name, value) => {
    if (value === null || value === undefined) delete draft.values[name];
    else draft.values[name] = value;
    changed();
  });
  const run = button("Re-run with these", () => rerun(), { icon: "play", appearance: "primary" });
  const reset = button("All defaults", () => begin(draft.id, {}), { icon: "discard" });
  const choice = dropdown("Attack", (chosen) => begin(chosen, {}));
  const chain = defenseChain(() => changed());
  const front = section("Defences the attack goes through", false, h("p", { class: "muted" }, about), chain.element);
  const wrong = faultLine();
  const aim = targetNote();
  const status = h("p", { class: "muted", attributes: { "aria-live": "polite" } });
  const changed = (): void => {
    const fault = fields.fault() ?? chain.fault();
    enable(run, fault === null);
    wrong.update(fault);
    aim.update(draft.values, context?.state.result);
    status.textContent = fault === null && isDirty(context?.state, draft, chain.chain) ? "Changed: Enter runs the attack again." : "";
  };
  const begin = (id: string, given: Readonly<Values>): void => {
    if (!context) return;
    const { catalog } = context.state;
    const properties = propertiesOf(catalog, id);
    Object.assign(draft, { id, values: { ...defaultsOf(properties), ...given } });
    fields.show(properties, draft.values, catalog);
    choice.set(attacksOf(catalog), id);
    changed();
  };
  const rerun = (): void => {
    if (!context || run.hasAttribute("disabled")) return;
    context.send({ kind: "rerun", attack: { id: draft.id, params: { ...draft.values } }, defenses: [...chain.chain] });
  };
  // The host's parameters replace the draft only when they are other ones: typing goes on while an attack streams.
  const adopt = onChange((id: string, _key: string) => {
    if (!context) return;
    const { catalog, defenses, attack } = context.state;
    chain.update({ catalog, chain: defenses });
    front.open ||= defenses.length > 0;
    begin(id, attack.params);
  });
  const parts = [choice.element, fields.element, aim.element, front, wrong.element, h("div", { class: "buttons" }, run, reset, status)];
  const element = runOnEnter(h("div", { class: "parameters" }, ...parts), rerun);
  return {
    element,
    rerun,
    update(next) {
      context = next;
      const { catalog, attack, defenses, result } = next.state;
      show(element, catalog.length > 0);
      show(front, frontDefenses(catalog).length > 0);
      setButtonText(run, result ? "Re-run with these" : "Attack with these");
      adopt(attack.id, JSON.stringify([attack.params, defenses, catalog.length]));
      changed();
    },
  };
}

/** Which class the number of a target means. */
function targetNote() {
  const element = h("p", { class: "muted" });
  return {
    element,
    update({ target }: Values, result: AttackImageResult | null = null): void {
      element.textContent = targetLine(target, result);
      show(element, element.textContent !== "");
    },
  };
}

const about = "The attack goes through these defences and knows them.";
const propertiesOf = (catalog: InspectorState["catalog"], id: string): Properties =>
  catalog.find((e) => e.kind === "attack" && e.id === id)?.params.properties ?? {};
const attacksOf = (catalog: InspectorState["catalog"]): readonly Choice[] =>
  entriesOf(catalog, "attack").map((e) => ({ value: e.id, text: e.title }));

/** Whether a result is there and something else is asked for than what made it. */
function isDirty(state: InspectorState | undefined, draft: Draft, chain: readonly Pick[]): boolean {
  if (!state?.result) return false;
  const { attack, defenses, catalog } = state;
  const asked = { id: draft.id, params: draft.values };
  const full = ({ id, params }: Pick): string => JSON.stringify({ ...defaultsOf(propertiesOf(catalog, id)), ...params });
  return attack.id !== asked.id || full(attack) !== full(asked) || JSON.stringify(defenses) !== JSON.stringify(chain);
}
