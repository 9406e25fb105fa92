import {
  provideVSCodeDesignSystem,
  vsCodeBadge,
  vsCodeButton,
  vsCodeCheckbox,
  vsCodeDropdown,
  vsCodeLink,
  vsCodeOption,
  vsCodeProgressRing,
  vsCodeTextField,
} from "@vscode/webview-ui-toolkit";
import { type Child, h, onChange, type Part, setText, show } from "./dom.ts";

/** The controls of the panels: the toolkit's where it has one, the browser's own (slider, details) where it has not. */
provideVSCodeDesignSystem().register(
  vsCodeBadge(),
  vsCodeButton(),
  vsCodeCheckbox(),
  vsCodeDropdown(),
  vsCodeLink(),
  vsCodeOption(),
  vsCodeProgressRing(),
  vsCodeTextField(),
);

/** The toolkit writes its own name ("Text field") over the given one when a control enters the page: the given one is put back. */
export function name(control: HTMLElement, label: string): void {
  const put = (): void => {
    if (control.getAttribute("aria-label") !== label) control.setAttribute("aria-label", label);
  };
  put();
  new MutationObserver(put).observe(control, { attributes: true, attributeFilter: ["aria-label"] });
}

export const icon = (name: string): HTMLElement => h("span", { class: `codicon codicon-${name}`, attributes: { "aria-hidden": "true" } });

export interface ButtonOptions {
  readonly icon?: string;
  readonly appearance?: "primary" | "secondary" | "icon";
  /** Its name where there is no text; else what the text alone does not say. A spoken name always has the text that is seen (WCAG 2.5.3). */
  readonly label?: string;
  readonly attributes?: Readonly<Record<string, string | boolean | undefined>>;
}
export function button(text: string, press: () => void, options: ButtonOptions = {}): HTMLElement {
  const start = options.icon ? icon(options.icon) : null;
  if (start && text !== "") start.slot = "start";
  return h(
    "vscode-button",
    {
      ...(options.label ? { title: options.label } : {}),
      attributes: {
        appearance: options.appearance ?? "secondary",
        "aria-label": text === "" ? options.label : undefined,
        ...options.attributes,
      },
      on: { click: press },
    },
    start,
    text,
  );
}
/** Another text on a button; its icon stays. */
export function setButtonText(control: HTMLElement, text: string): void {
  const last = control.lastChild;
  if (last instanceof Text && last.data !== text) last.data = text;
}
export function enable(control: HTMLElement, enabled: boolean): void {
  control.toggleAttribute("disabled", !enabled);
}

export interface Choice {
  readonly value: string;
  readonly text: string;
}
export interface Dropdown {
  readonly element: HTMLElement;
  set(options: readonly Choice[], value: string): void;
}
/** A labelled dropdown; `set` keeps the element, so that focus stays where it was. */
export function dropdown(label: string, changed: (value: string) => void): Dropdown {
  const control = h("vscode-dropdown", { attributes: { "aria-label": label } }) as HTMLElement & { value: string };
  control.addEventListener("change", () => changed(control.value));
  let shown = "";
  const element = h("label", { class: "field" }, h("span", { class: "field-name" }, label), control);
  // An option that is replaced when it is chosen is no longer inside the list as the label sees it: the label would open the list again.
  element.addEventListener("click", (event) => {
    if (event.composedPath().includes(control)) event.preventDefault();
  });
  return {
    element,
    set(options, value) {
      const key = JSON.stringify([options, value]);
      if (key === shown) return;
      shown = key;
      control.style.setProperty("--longest", String(Math.max(0, ...options.map(({ text }) => text.length))));
      control.replaceChildren(
        ...options.map((o) => h("vscode-option", { attributes: { value: o.value, selected: o.value === value } }, o.text)),
      );
      // The toolkit reads its options a microtask later, when they have been slotted.
      requestAnimationFrame(() => {
        control.value = value;
      });
    },
  };
}

export interface Toggle {
  readonly element: HTMLElement;
  set(checked: boolean): void;
}
export function checkbox(text: string, checked: boolean, changed: (checked: boolean) => void, label = text): Toggle {
  const control = h("vscode-checkbox", { attributes: { checked } }, text) as HTMLElement & { checked: boolean };
  name(control, label);
  control.addEventListener("change", () => changed(control.checked));
  return {
    element: control,
    set(value) {
      control.checked = value;
    },
  };
}

export interface TextField {
  readonly element: HTMLElement;
  value: string;
}
export function textField(label: string, value: string, changed: (value: string) => void, size = 8): TextField {
  const element = h("vscode-text-field", { attributes: { "aria-label": label, size, value } }) as HTMLElement & { value: string };
  name(element, label);
  element.addEventListener("input", () => changed(element.value));
  return {
    element,
    get value() {
      return element.value;
    },
    set value(text: string) {
      if (element.value !== text) element.value = text;
    },
  };
}

export interface Slider {
  readonly element: HTMLInputElement;
  set(value: number, spoken?: string): void;
}
/** The browser's slider in the theme's colours: the toolkit has none. */
export function slider(
  label: string,
  range: { min: number; max: number; step: number; value: number },
  moved: (value: number) => void,
): Slider {
  const attributes = { type: "range", "aria-label": label, min: range.min, max: range.max, step: range.step };
  const element = h("input", { class: "slider", attributes });
  const set = (value: number, spoken?: string): void => {
    element.value = String(value);
    if (spoken) element.setAttribute("aria-valuetext", spoken);
    fillTrack(element);
  };
  set(range.value);
  element.addEventListener("input", () => {
    fillTrack(element);
    moved(Number(element.value));
  });
  return { element, set };
}

/** The part of the track before the thumb has the accent colour. */
function fillTrack(element: HTMLInputElement): void {
  const [min, max] = [Number(element.min), Number(element.max)];
  element.style.setProperty("--share", String((Number(element.value) - min) / (max - min || 1)));
}

/** What is wrong with a setting, in a sentence; screen readers announce it at once. */
export function faultLine(): Part<string | null> {
  const element = h("p", { class: "fault", attributes: { role: "alert" } });
  const text = h("span");
  const draw = onChange((fault: string | null) => {
    show(element, fault !== null);
    setText(text, fault ?? "");
  });
  element.append(icon("error"), text);
  draw(null);
  return { element, update: draw };
}

export const badge = (text: string, kind = ""): HTMLElement => h("vscode-badge", { class: kind }, text);
export function progressRing(label: string): HTMLElement {
  const ring = h("vscode-progress-ring");
  name(ring, label);
  return ring;
}
export const section = (title: string, open: boolean, ...children: Child[]): HTMLDetailsElement =>
  h("details", { class: "section", attributes: { open } }, h("summary", {}, title), h("div", { class: "section-body" }, ...children));
