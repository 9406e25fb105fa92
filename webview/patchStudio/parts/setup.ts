import { capital, number } from "../../../src/shared/format.ts";
import type { StudioChange, StudioSettings, StudioState } from "../../../src/shared/patchStudio.ts";
import { fill, h, onChange, type Part, setText } from "../../lib/dom.ts";
import { type Control, control } from "../../lib/parameterControl.ts";
import { button, dropdown, section, slider } from "../../lib/ui.ts";
import type { Context } from "../model.ts";
import { createDraft } from "./draft.ts";
import { firstFault, numberField } from "./fields.ts";

/** These have controls of their own; `mode` speaks of experiments, here it is which model the patch is tried on. */
const shownElsewhere = new Set(["area", "shape", "target", "mode", "patch", "steps"]);
const areas = [0.05, 0.1, 0.15, 0.2, 0.25];
const mostSteps = 100_000;
const shapes = ["square", "disc"].map((value) => ({ value, text: capital(value) }));

/** What is trained: model, images, class, size. Every change is kept by the host. */
export function setup(change: (change: StudioChange) => void): Part<Context> & { fault(): string | null } {
  let context: Context | null = null;
  const { set, setParam, adopt } = createDraft(change);
  const model = dropdown("Model to train on", (value) => set({ trainModel: value, tryModel: value }));
  const source = dropdown("Images", (value) => set({ source: value }));
  const folder = button("Folder…", () => context?.send({ kind: "chooseFolder" }), {
    icon: "folder-opened",
    label: "Train on the pictures of a folder",
  });
  const limit = numberField("Maximum images", { low: 1, high: 1_000_000, whole: true }, (value) => set({ limit: value }));
  const target = dropdown("Target class", (value) => setParam("target", Number(value)));
  const shape = dropdown("Shape", (value) => setParam("shape", value));
  const steps = numberField("Steps", { low: 1, high: mostSteps, whole: true }, (value) => setParam("steps", value));
  const area = areaControl((value) => setParam("area", value));
  const more = moreParameters(setParam);
  const fields = [
    model.element,
    h("div", { class: "with-button wide" }, source.element, folder),
    limit.element,
    target.element,
    shape.element,
  ];
  return {
    element: h("div", { class: "setup" }, ...fields, steps.element, area.element, more.element),
    fault: () => firstFault([limit, steps, more]),
    update(next) {
      context = next;
      const { state } = next;
      const { trainModel, source: images, limit: most, params } = adopt(state.settings);
      model.set(state.models, trainModel);
      source.set(state.sources, images);
      limit.set(most);
      target.set(classChoices(state, "Any other class"), String(params["target"] ?? -1));
      shape.set(shapes, String(params["shape"] ?? "square"));
      steps.set(Number(params["steps"] ?? 1));
      area.set(Number(params["area"] ?? 0.1));
      more.update({ state, params });
    },
  };
}

/** The parameters that few people touch, as their schema has them; what is typed stays, so the controls are made once. */
function moreParameters(setParam: (name: string, value: unknown) => void): Part<{
  readonly state: StudioState;
  readonly params: StudioSettings["params"];
}> & { fault(): string | null } {
  let controls: readonly Control[] = [];
  let shown: { readonly state: StudioState; readonly params: StudioSettings["params"] } | null = null;
  const fields = h("div", { class: "fields" });
  const rebuild = onChange((_parameters: number, _areThere: boolean) => {
    controls = Object.entries(shown?.state.schema.properties ?? {}).flatMap(([name, schema]) =>
      shownElsewhere.has(name) ? [] : [control(name, schema, shown?.params[name], (value) => setParam(name, value))],
    );
    fill(fields, ...controls.map((c) => c.element));
  });
  return {
    element: h("div", { class: "wide" }, section("More", false, fields)),
    fault: () => firstFault(controls),
    update(next) {
      shown = next;
      rebuild(Object.keys(next.state.schema.properties).length, Object.keys(next.params).length > 0);
    },
  };
}

/** Classes by name; −1 is none in particular. */
export const classChoices = ({ classes, settings }: StudioState, none: string) => {
  const named = classes.map((name, index) => ({ value: String(index), text: name === String(index) ? name : `${name} (${index})` }));
  const target = String(settings.params["target"] ?? -1);
  const known = target === "-1" || named.some((c) => c.value === target) ? named : [...named, { value: target, text: `class ${target}` }];
  return [{ value: "-1", text: none }, ...known];
};

/** The share of the image that the patch covers: the paper's five sizes, or any. */
function areaControl(changed: (area: number) => void): { readonly element: HTMLElement; set(area: number): void } {
  const text = h("span", { class: "place" });
  const range = slider("Area of the patch", { min: 0.01, max: 0.5, step: 0.01, value: 0.1 }, (value) => changed(value));
  const usual = areas.map((area) => ({
    area,
    control: button(`${Math.round(area * 100)} %`, () => changed(area), { label: `Area of ${Math.round(area * 100)} % of the image` }),
  }));
  return {
    element: h(
      "div",
      { class: "wide" },
      h("span", { class: "field-name" }, "Area"),
      h(
        "div",
        { class: "control-row" },
        range.element,
        text,
        h("div", { class: "buttons", attributes: { role: "group", "aria-label": "The paper's areas" } }, ...usual.map((u) => u.control)),
      ),
    ),
    set(area) {
      const words = `${number(area * 100)} % of the image`;
      range.set(area, words);
      setText(text, words);
      for (const { area: value, control: one } of usual) one.setAttribute("aria-pressed", String(Math.abs(value - area) < 1e-9));
    },
  };
}
