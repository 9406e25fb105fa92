import { count, plural } from "../../../src/shared/format.ts";
import type { ModelState } from "../../../src/shared/pages.ts";
import { h, onChange, type Part, setText, show } from "../../lib/dom.ts";
import { section, textField } from "../../lib/ui.ts";
import { virtualList } from "../../lib/virtualList.ts";

interface Named {
  readonly index: number;
  readonly name: string;
}

/** The classes by number and name; a field finds one among a thousand. */
export function classNames(): Part<ModelState> {
  let all: readonly Named[] = [];
  const list = virtualList<Named>({
    label: "Classes",
    rowHeight: 24,
    render: ({ index, name }) => [h("span", { class: "muted number" }, String(index)), h("span", { title: name }, name)],
    open: () => undefined,
  });
  const found = h("p", { class: "muted small", attributes: { role: "status" } });
  const none = h("p", { class: "muted" });
  const search = textField("Find a class", "", (text) => filter(text), 24);
  const filter = (text: string): void => {
    const rows = classesLike(all, text);
    list.set(rows);
    setText(found, text === "" ? "" : plural(rows.length, "class", "classes"));
  };
  const tools = h("label", { class: "field" }, h("span", { class: "field-name" }, "Find a class"), search.element);
  const named = h("div", { class: "stack" }, tools, found, h("div", { class: "class-list" }, list.element));
  const element = section("Classes", true, none, named);
  const draw = onChange((inspection: ModelState["inspection"]) => {
    all = (inspection?.classNames ?? []).map((name, index) => ({ index, name }));
    show(named, all.length > 0);
    show(none, all.length === 0);
    setText(
      none,
      `The ${count(inspection?.classes ?? 0)} classes have no names. Name them in the contract (output.classes) or in a labels.txt beside the model.`,
    );
    filter(search.value);
  });
  return { element, update: ({ inspection }) => draw(inspection) };
}

/** Classes whose name or number holds the text. */
export const classesLike = (all: readonly Named[], text: string): readonly Named[] => {
  const wanted = text.trim().toLowerCase();
  return all.filter(({ index, name }) => name.toLowerCase().includes(wanted) || String(index) === wanted);
};
