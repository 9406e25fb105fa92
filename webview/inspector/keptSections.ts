import type { Connection } from "../lib/connect.ts";

/** Sections of the page that a person unfolded are so again where the page is made anew, as it is whenever its tab was hidden. */
export function keptSections(page: HTMLElement, layout: Connection<unknown>["layout"]): void {
  const sections = [...page.querySelectorAll<HTMLDetailsElement>(":scope > details")];
  const titleOf = (section: HTMLDetailsElement): string => section.querySelector("summary")?.textContent ?? "";
  const unfolded = new Set(layout.get());
  for (const section of sections) {
    if (unfolded.has(titleOf(section))) section.open = true;
    section.addEventListener("toggle", () => layout.set(sections.filter(({ open }) => open).map(titleOf)));
  }
}
