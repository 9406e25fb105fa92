import type { InspectorState } from "../../src/shared/panels.ts";
import { runningCards } from "./model.ts";

/**
 * Keeps the page where it is while an attack runs again: its parts go and come back, but neither the scroll position nor the focus is
 * lost. Where the attack waits with its estimate, the focus is on the button that starts it, and goes back where it was when the estimate
 * is dismissed. `before` and `after` are called around every drawing.
 */
export function keptPlace(
  page: HTMLElement,
  start: HTMLElement,
): { before(next: InspectorState): void; after(next: InspectorState): void } {
  let last: InspectorState["status"] | null = null;
  let isHeld = false;
  let scroll = 0;
  let focused: HTMLElement | null = null;
  const giveBack = (): void => {
    const first = page.querySelector<HTMLElement>(".panel-header .buttons > vscode-button:not([hidden])");
    (focused && isShown(focused) ? focused : first)?.focus({ preventScroll: true });
  };
  return {
    before(next) {
      if (next.status === last || (next.status !== "running" && next.status !== "asked")) return;
      const active = focusIn(page);
      if (last !== "running" && active !== start) focused = active;
      if (next.status !== "running") return;
      isHeld = page.offsetHeight > 0;
      scroll = window.scrollY;
      if (isHeld) page.style.minHeight = `${page.offsetHeight}px`;
    },
    after(next) {
      const isRunning = next.status === "running";
      const active = focusIn(page);
      const isLost = active ? !isShown(active) : document.activeElement === document.body || document.activeElement === null;
      const wasAsked = last === "asked" && next.status !== "asked";
      // A panel that opened beside the editor leaves the focus to the editor.
      if (next.status === "asked" && last !== "asked") {
        if (document.hasFocus()) start.focus();
      } else if (((isHeld && last === "running") || wasAsked) && !isRunning && isLost && document.hasFocus()) giveBack();
      if ((isHeld || wasAsked) && !isRunning && next.status !== "asked") window.scrollTo({ top: scroll });
      // The cards of the new images come a little later; what is below them would jump.
      if (isHeld && !isRunning && runningCards(next).length === 0) {
        isHeld = false;
        page.style.minHeight = "";
      }
      last = next.status;
    },
  };
}

const focusIn = (page: HTMLElement): HTMLElement | null =>
  document.activeElement instanceof HTMLElement && page.contains(document.activeElement) ? document.activeElement : null;

const isShown = (element: HTMLElement): boolean => element.isConnected && element.offsetParent !== null;
