import type { PatchRanking } from "../../../src/shared/protocol.ts";
import { fileUrl } from "../../lib/connect.ts";
import { fill, h, onChange, type Part, roving } from "../../lib/dom.ts";
import { number } from "../../lib/format.ts";
import { movedSlices, type Place, placesOf } from "./slices.ts";

/** The slices in volume order; the one under the pointer or the focus is outlined in the pictures. */
export function filmstrip(point: (slice: number | null) => void): Part<{ ranking: PatchRanking; clean: PatchRanking; base: string }> {
  const element = h("ul", { class: "filmstrip plain", attributes: { "aria-label": "Slices in volume order" } });
  const columns = (): number => {
    const items = [...element.querySelectorAll<HTMLElement>(".slice")];
    const top = items[0]?.offsetTop;
    return Math.max(1, items.filter((item) => item.offsetTop === top).length);
  };
  const select = roving(element, ".slice", columns);
  const slicePointed = (event: Event): void => {
    const target = event.target instanceof Element ? event.target.closest<HTMLElement>(".slice") : null;
    if (target) point(Number(target.dataset["slice"]));
  };
  element.addEventListener("pointerover", slicePointed);
  element.addEventListener("focusin", slicePointed);
  element.addEventListener("pointerleave", () => point(null));
  element.addEventListener("focusout", () => point(null));
  const draw = onChange((ranking: PatchRanking, clean: PatchRanking, base: string) => {
    const moved = movedSlices(clean, ranking);
    fill(element, ...placesOf(ranking).map((place) => h("li", {}, slice(place, ranking, moved.get(place.slice), base))));
    select(0);
  });
  return { element, update: ({ ranking, clean, base }) => draw(ranking, clean, base) };
}

function slice(place: Place, ranking: PatchRanking, from: number | undefined, base: string): HTMLElement {
  const isReference = ranking.reference === place.slice;
  const score = number(place.score);
  const [row, column] = [Math.floor(place.slice / ranking.columns), place.slice % ranking.columns];
  const moved = from === undefined ? "" : `, moved from place ${from}`;
  const image = h("img", { attributes: { src: fileUrl(base, ranking.slices[place.slice] ?? ""), alt: "", draggable: "false" } });
  return h(
    "div",
    {
      class: `slice${isReference ? " reference" : ""}${from === undefined ? "" : " moved"}`,
      title: `Slice ${place.slice}: row ${row}, column ${column}${isReference ? ", the reference" : ""}${moved}`,
      attributes: {
        role: "img",
        tabindex: -1,
        "data-slice": place.slice,
        "aria-label": `Place ${place.place}: slice ${place.slice} of row ${row} column ${column}, score ${score}${isReference ? ", the reference" : ""}${moved}`,
      },
    },
    image,
    h("span", { class: "rank" }, `${place.place}`, from === undefined ? null : h("span", { class: "from" }, ` ←${from}`)),
    h("span", { class: "score" }, score),
    isReference ? h("span", { class: "reference-name" }, "reference") : null,
  );
}
