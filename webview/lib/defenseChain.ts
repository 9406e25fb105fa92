import type { Pick } from "../../src/shared/cards.ts";
import { type Catalog, type CatalogEntry, entriesOf } from "../../src/shared/catalog.ts";
import { fill, h, type Part, show } from "./dom.ts";
import { type ParameterFields, parameterFields } from "./parameterFields.ts";
import { button, dropdown, enable } from "./ui.ts";

interface Shown {
  readonly catalog: Catalog;
  readonly chain: readonly Pick[];
}
export interface DefenseChain extends Part<Shown> {
  readonly chain: readonly Pick[];
  /** The first thing that is wrong with a parameter, in a sentence. */
  fault(): string | null;
}

/** Defences that transform the image in front of a model. */
export const frontDefenses = (catalog: Catalog): readonly CatalogEntry[] => entriesOf(catalog, "defense").filter((e) => e.inFront);

/** A list of defences in front of a model, in the order in which the image meets them: added, moved, removed, with their parameters. */
export function defenseChain(changed: () => void): DefenseChain {
  let catalog: Catalog = [];
  let chain: Pick[] = [];
  let fields: readonly ParameterFields[] = [];
  const list = h("ol", { class: "plain chain", attributes: { "aria-label": "Defences in front, in order" } });
  let chosen = "";
  /** The list and the catalogue that the controls were made for. */
  let drawn = "";
  const choice = dropdown("Defence", (id) => {
    chosen = id;
  });
  const add = button("Add", () => edit([...chain, { id: chosen, params: {} }], chain.length), {
    icon: "add",
    label: "Add this defence to the list",
  });
  const empty = h("p", { class: "muted" }, "No defence that can stand in front of a model is installed.");
  const edit = (next: readonly Pick[], focused: number): void => {
    const open = new Set(chain.filter((_, i) => list.children[i]?.querySelector("details")?.open));
    chain = [...next];
    draw();
    chain.forEach((pick, i) => {
      const more = list.children[i]?.querySelector("details");
      if (more) more.open = open.has(pick);
    });
    // The controls were made anew: the focus stays with the defence that was moved, or goes on to the next one.
    const item = list.children[Math.min(focused, chain.length - 1)];
    (item?.querySelector<HTMLElement>("vscode-button:not([disabled]), input") ?? add).focus();
    changed();
  };
  const draw = (): void => {
    const items = chain.map((pick, i) => item({ catalog, chain, i, edit, changed }, pick));
    fields = items.map((one) => one.fields);
    fill(list, ...items.map((one) => one.element));
    drawn = keyOf();
  };
  const keyOf = (): string => JSON.stringify([chain.map(({ id }) => id), catalog.length]);
  return {
    element: h("div", { class: "stack" }, list, h("div", { class: "toolbar" }, choice.element, add), empty),
    get chain() {
      return chain;
    },
    fault: () => fields.map((one) => one.fault()).find((text) => text !== null) ?? null,
    update(next) {
      const known = frontDefenses(next.catalog);
      catalog = next.catalog;
      if (JSON.stringify(next.chain) !== JSON.stringify(chain)) chain = [...next.chain];
      if (!known.some(({ id }) => id === chosen)) chosen = known[0]?.id ?? "";
      choice.set(
        known.map(({ id, title }) => ({ value: id, text: title })),
        chosen,
      );
      for (const part of [choice.element, add]) show(part, known.length > 0);
      show(empty, known.length === 0);
      if (drawn !== keyOf()) draw();
    },
  };
}

interface Place {
  readonly catalog: Catalog;
  readonly chain: Pick[];
  readonly i: number;
  edit(next: readonly Pick[], focused: number): void;
  changed(): void;
}
/** One defence of the list with its parameters. Typing changes the list in place: the fields stay as they are. */
function item(
  { catalog, chain, i, edit, changed }: Place,
  pick: Pick,
): { readonly element: HTMLElement; readonly fields: ParameterFields } {
  const entry = catalog.find((e) => e.kind === "defense" && e.id === pick.id);
  const title = entry?.title ?? pick.id;
  const fields = parameterFields((name, value) => {
    const now = chain[i];
    if (now) chain[i] = { id: now.id, params: { ...now.params, [name]: value } };
    changed();
  });
  fields.show(entry?.params.properties ?? {}, pick.params, catalog);
  const swapped = (j: number): readonly Pick[] => chain.map((one, k) => (k === i ? chain[j] : k === j ? chain[i] : one) ?? one);
  const up = button("", () => edit(swapped(i - 1), i - 1), { icon: "arrow-up", appearance: "icon", label: `Move ${title} up` });
  const down = button("", () => edit(swapped(i + 1), i + 1), { icon: "arrow-down", appearance: "icon", label: `Move ${title} down` });
  const remove = () =>
    edit(
      chain.filter((_, k) => k !== i),
      i,
    );
  enable(up, i > 0);
  enable(down, i < chain.length - 1);
  const buttons = h(
    "div",
    { class: "buttons" },
    up,
    down,
    button("", remove, { icon: "close", appearance: "icon", label: `Remove ${title}` }),
  );
  const head = h("div", { class: "chain-head" }, h("strong", {}, `${i + 1}. ${title}`), buttons);
  return { element: h("li", { class: "chain-item" }, head, fields.element), fields };
}
