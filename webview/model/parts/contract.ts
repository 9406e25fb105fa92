import { type InputContract, inputRangeText } from "../../../src/shared/contract.ts";
import type { ModelIntent, ModelState } from "../../../src/shared/pages.ts";
import { fill, h, onChange, type Part } from "../../lib/dom.ts";
import { factList } from "../../lib/facts.ts";
import { button } from "../../lib/ui.ts";

/** How pictures reach the model and what its numbers mean: the contract in force, and where it comes from. */
export function contract(send: (intent: ModelIntent) => void): Part<ModelState> {
  const facts = h("div");
  const edit = button("Edit contract", () => send({ kind: "editContract" }), { icon: "edit" });
  const probe = button("Probe…", () => send({ kind: "probe" }), {
    icon: "search",
    label: "Find the input range from a few labelled pictures",
  });
  const element = h("section", {}, h("h2", {}, "Input and output"), facts, h("div", { class: "buttons" }, edit, probe));
  const draw = onChange((inspection: ModelState["inspection"], file: string | null) => {
    if (!inspection) return;
    const { contract: known, contractSource } = inspection;
    fill(
      facts,
      factList([
        ...factsOf(known),
        ["Comes from", contractSource.kind === "assumed" ? "nothing: this is assumed" : contractSource.text],
        ["Contract file", file ?? "none: Edit contract makes one beside the model"],
      ]),
    );
  });
  return { element, update: ({ inspection, contractFile }) => draw(inspection, contractFile) };
}

function factsOf({ input, output }: InputContract): [string, string | null][] {
  const kind = output?.kind;
  return [
    ["Pixels", `${inputRangeText(input)} for black to white`],
    ["Channels", input.channels ?? null],
    ["Layout", input.layout ?? null],
    ["Pictures of another size", input.resize ?? "cover (short side to the model's size, centre crop)"],
    ["Output", kind ?? null],
  ];
}
