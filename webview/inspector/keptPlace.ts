import type { InspectorState } from "../../src/shared/panels.ts";
import { runningCards } from "./model.ts";

/**
 * Keeps the page where it is while an attack runs again: its parts go and come back, but neither the scroll position nor the focus is
 * lost. `before` and `after` are called around every drawing.
 */
export function keptPlace(page: HTMLElement): { before(next: InspectorState): void; after(next: InspectorState): void } {
  let wasRunning = false;
  let isHeld = false;
  let scroll = 0;
  let focused: HTMLElement | null = null;
  return {
    before(next) {
      if (next.status !== "running" || wasRunning) return;
      isHeld = page.offsetHeight > 0;
      scroll = window.scrollY;
      focused = document.activeElement instanceof HTMLElement && page.contains(document.activeElement) ? document.activeElement : null;
      if (isHeld) page.style.minHeight = `${page.offsetHeight}px`;
    },
    after(next) {
      const isRunning = next.status === "running";
      if (isHeld && wasRunning && !isRunning && (document.activeElement === document.body || document.activeElement === null))
        (focused && isShown(focused)
          ? focused
          : page.querySelector<HTMLElement>(".panel-header .buttons > vscode-button:not([hidden])")
        )?.focus({
          preventScroll: true,
        });
      if (isHeld && !isRunning) window.scrollTo({ top: scroll });
      // The cards of the new images come a little later; what is below them would jump.
      if (isHeld && !isRunning && runningCards(next).length === 0) {
        isHeld = false;
        page.style.minHeight = "";
      }
      wasRunning = isRunning;
    },
  };
}

const isShown = (element: HTMLElement): boolean => element.isConnected && element.offsetParent !== null;
