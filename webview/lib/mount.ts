/** Puts a panel into its page; the page has an element for it, else the body takes it. */
export function mount(element: HTMLElement): void {
  (document.getElementById("app") ?? document.body).replaceChildren(element);
}
