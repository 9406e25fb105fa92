import type { StudioSettings, StudioState } from "../../../src/shared/patchStudio.ts";
import { fill, h, onChange, type Part, setText } from "../../lib/dom.ts";
import { number } from "../../lib/format.ts";
import { type Control, control } from "../../lib/parameterControl.ts";
import { button, dropdown, section, slider, textField } from "../../lib/ui.ts";
import type { Context } from "../model.ts";

/** These have controls of their own; `mode` speaks of experiments, here it is which model the patch is tried on. */
const shownElsewhere = new Set(["area", "shape", "target", "mode", "patch", "steps"]);
const areas = [0.05, 0.1, 0.15, 0.2, 0.25];
const mostSteps = 100_000;

/** What is trained: model, images, class, size. Every change is kept by the host. */
export function setup(change: (settings: StudioSettings) => void): Part<Context> & { fault(): string | null } {
  let settings: StudioSettings | null = null;
  let context: Context | null = null;
  const set = (next: Partial<StudioSettings>): void => {
    if (!settings) return;
    settings = { ...settings, ...next };
    change(settings);
  };
  const setParam = (name: string, value: unknown): void => set({ params: { ...settings?.params, [name]: value } });
  const model = dropdown("model to train on", (value) => set({ trainModel: value, tryModel: value }));
  const source = dropdown("images", (value) => set({ source: value }));
  const folder = button("Folder…", () => context?.send({ kind: "chooseFolder" }), {
    icon: "folder-opened",
    label: "Train on the pictures of a folder",
  });
  const limit = numberField("images at most", 1, 1_000_000, (value) => set({ limit: value }));
  const target = dropdown("class to show", (value) => setParam("target", Number(value)));
  const shape = dropdown("shape", (value) => setParam("shape", value));
  const steps = numberField("steps", 1, mostSteps, (value) => setParam("steps", value));
  const area = areaControl((value) => setParam("area", value));
  const more = h("div", { class: "fields" });
  let controls: readonly Control[] = [];
  const rebuild = onChange((_key: string) => {
    controls = Object.entries(context?.state.schema.properties ?? {}).flatMap(([name, schema]) =>
      shownElsewhere.has(name) ? [] : [control(name, schema, settings?.params[name], (value) => setParam(name, value))],
    );
    fill(more, ...controls.map((c) => c.element));
  });
  const element = h(
    "div",
    { class: "setup" },
    model.element,
    h("div", { class: "field" }, source.element, folder),
    limit.element,
    target.element,
    shape.element,
    steps.element,
    area.element,
    h("div", { class: "wide" }, section("More", false, more)),
  );
  return {
    element,
    fault: () => [limit.fault(), steps.fault(), ...controls.map((c) => c.fault())].find((text) => text !== null) ?? null,
    update(next) {
      context = next;
      const { state } = next;
      if (settings === null || JSON.stringify(state.settings) !== JSON.stringify(settings)) settings = state.settings;
      model.set(state.models, settings.trainModel);
      source.set(state.sources, settings.source);
      limit.set(settings.limit);
      target.set(classChoices(state, "any other class"), String(settings.params["target"] ?? -1));
      shape.set(
        ["square", "disc"].map((value) => ({ value, text: value })),
        String(settings.params["shape"] ?? "square"),
      );
      steps.set(Number(settings.params["steps"] ?? 1));
      area.set(Number(settings.params["area"] ?? 0.1));
      // What is typed stays: the controls are made once, when the settings have arrived.
      if (state.settings.trainModel !== "" || state.models.length === 0)
        rebuild(`${Object.keys(state.schema.properties).length}/${Object.keys(settings.params).length > 0}`);
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

interface Numeric {
  readonly element: HTMLElement;
  set(value: number): void;
  fault(): string | null;
}
/** A whole number that a person types; what is no number is marked and not taken. */
export function numberField(name: string, low: number, high: number, changed: (value: number) => void, whole = true): Numeric {
  let problem: string | null = null;
  const field = textField(name, "", (text) => {
    const value = Number(text.trim() === "" ? Number.NaN : text);
    const ok = Number.isFinite(value) && value >= low && value <= high && (!whole || Number.isInteger(value));
    problem = ok ? null : `${name}: write a ${whole ? "whole " : ""}number from ${low} to ${high}.`;
    field.element.classList.toggle("invalid", !ok);
    field.element.setAttribute("aria-invalid", String(!ok));
    if (ok) changed(value);
  });
  let shown: number | null = null;
  return {
    element: h("label", { class: "field" }, h("span", { class: "field-name" }, name), field.element),
    set(value) {
      if (value === shown || problem !== null) return;
      shown = value;
      if (Number(field.value) !== value || field.value === "") field.value = String(value);
    },
    fault: () => problem,
  };
}

/** The share of the image that the patch covers: the paper's five sizes, or any. */
function areaControl(changed: (area: number) => void): { readonly element: HTMLElement; set(area: number): void } {
  const text = h("span", { class: "place" });
  const range = slider("area of the patch", { min: 0.01, max: 0.5, step: 0.01, value: 0.1 }, (value) => changed(value));
  const usual = areas.map((area) => ({
    area,
    control: button(`${Math.round(area * 100)} %`, () => changed(area), { label: `Area of ${Math.round(area * 100)} % of the image` }),
  }));
  return {
    element: h(
      "div",
      { class: "wide" },
      h("span", { class: "field-name" }, "area"),
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
