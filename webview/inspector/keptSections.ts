import type { Connection } from "../lib/connect.ts";

/** Unfolds the sections that the user had unfolded when the page is built again, as it is each time its tab was hidden. */
export function keptSections(page: HTMLElement, layout: Connection<unknown>["layout"]): void {
  const sections = [...page.querySelectorAll<HTMLDetailsElement>(":scope > details")];
  const titleOf = (section: HTMLDetailsElement): string => section.querySelector("summary")?.textContent ?? "";
  const unfolded = new Set(layout.get());
  for (const section of sections) {
    if (unfolded.has(titleOf(section))) section.open = true;
    section.addEventListener("toggle", () => layout.set(sections.filter(({ open }) => open).map(titleOf)));
  }
}
