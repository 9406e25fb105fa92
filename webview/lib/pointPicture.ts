import { h, setText, show } from "./dom.ts";

/** How near the cursor must be to a point, in CSS pixels. */
const reach = 14;
const gap = 16;

/** Shows the picture of the point nearest to the cursor, in figures whose points have one. The texts of the points stay for screen readers. */
export function pointPicture(stage: HTMLElement): void {
  const image = h("img", { attributes: { alt: "" } });
  const caption = h("figcaption");
  const card = h("figure", { class: "point-picture", attributes: { "aria-hidden": "true" } }, image, caption);
  show(card, false);
  const hide = (): void => {
    card.remove();
    show(card, false);
  };
  stage.addEventListener("pointermove", ({ clientX, clientY }) => {
    const mark = nearest(stage, clientX, clientY);
    const address = mark?.getAttribute("data-picture");
    if (!mark || !address) return hide();
    if (image.src !== address) image.src = address;
    setText(caption, mark.querySelector("title")?.textContent ?? "");
    document.body.append(card);
    show(card, true);
    const { width, height } = card.getBoundingClientRect();
    const fits = clientX + gap + width < document.documentElement.clientWidth;
    card.style.left = `${Math.max(0, fits ? clientX + gap : clientX - gap - width)}px`;
    card.style.top = `${Math.max(0, Math.min(clientY - height / 2, document.documentElement.clientHeight - height))}px`;
  });
  stage.addEventListener("pointerleave", hide);
  window.addEventListener("scroll", hide, { passive: true, capture: true });
}

function nearest(stage: HTMLElement, x: number, y: number): Element | undefined {
  let found: Element | undefined;
  let least = reach;
  for (const mark of stage.querySelectorAll("[data-picture]")) {
    const { left, top, width, height } = mark.getBoundingClientRect();
    const distance = Math.hypot(left + width / 2 - x, top + height / 2 - y);
    if (distance < least) [found, least] = [mark, distance];
  }
  return found;
}
