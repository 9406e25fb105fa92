import { h, roving, show } from "../../lib/dom.ts";
import { button, icon } from "../../lib/ui.ts";

export type ExportFormat = "png" | "npz" | "panel" | "command";
const items: readonly (readonly [ExportFormat, string, string])[] = [
  ["png", "Adversarial image (PNG)", "file-media"],
  ["npz", "Arrays (.npz)", "file-binary"],
  ["panel", "This panel (PNG)", "device-camera"],
  ["command", "Copy as command line", "terminal"],
];

/** A menu button: arrows move, Enter picks, Escape closes and returns to the button. */
export function exportMenu(pick: (format: ExportFormat) => void): { element: HTMLElement; button: HTMLElement } {
  const opener = button("Export", () => toggle(), { icon: "export", attributes: { "aria-haspopup": "menu", "aria-expanded": "false" } });
  const entries = items.map(([format, text, symbol]) =>
    h(
      "button",
      {
        class: "menu-item",
        attributes: { type: "button", role: "menuitem", tabindex: -1 },
        on: {
          click: () => {
            close();
            pick(format);
          },
        },
      },
      icon(symbol),
      text,
    ),
  );
  const menu = h("div", { class: "menu", attributes: { role: "menu", "aria-label": "Export" } }, ...entries);
  const element = h("div", { class: "menu-anchor" }, opener, menu);
  show(menu, false);
  roving(menu, ".menu-item", () => 1);
  const toggle = (): void => {
    if (opener.hasAttribute("disabled")) return;
    show(menu, menu.hidden);
    opener.setAttribute("aria-expanded", String(!menu.hidden));
    if (!menu.hidden) entries[0]?.focus();
  };
  const close = (): void => {
    show(menu, false);
    opener.setAttribute("aria-expanded", "false");
    opener.focus();
  };
  element.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || menu.hidden) return;
    event.preventDefault();
    close();
  });
  element.addEventListener("focusout", (event) => {
    if (event.relatedTarget instanceof Node && element.contains(event.relatedTarget)) return;
    show(menu, false);
    opener.setAttribute("aria-expanded", "false");
  });
  return { element, button: opener };
}
