import { number } from "../../../src/shared/format.ts";
import type { PatchRanking } from "../../../src/shared/protocol.ts";
import { fileUrl } from "../../lib/connect.ts";
import { columnsOf, fill, h, onChange, type Part, roving } from "../../lib/dom.ts";
import { movedSlices, type Place, placesOf } from "./slices.ts";

interface Strip {
  readonly ranking: PatchRanking;
  /** The same slices in the other image, clean or attacked. */
  readonly other: PatchRanking | null;
  readonly isClean: boolean;
  readonly base: string;
  readonly pointed: number | null;
}

/** The slices in volume order; the one under the pointer or the focus is outlined in the pictures, and the other way round. */
export function filmstrip(point: (slice: number | null) => void): Part<Strip> {
  const element = h("ul", { class: "filmstrip plain", attributes: { "aria-label": "Slices in volume order" } });
  const select = roving(element, ".slice", () => columnsOf(element, ".slice"));
  const slicePointed = (event: Event): void => {
    const target = event.target instanceof Element ? event.target.closest<HTMLElement>(".slice") : null;
    if (target) point(Number(target.dataset["slice"]));
  };
  element.addEventListener("pointerover", slicePointed);
  element.addEventListener("focusin", slicePointed);
  element.addEventListener("pointerleave", () => point(null));
  element.addEventListener("focusout", () => point(null));
  const draw = onChange((ranking: PatchRanking, other: PatchRanking | null, isClean: boolean, base: string) => {
    const moved = other ? movedSlices(other, ranking) : new Map<number, number>();
    const move = (at: number | undefined): Move | null => (at === undefined ? null : { at, isClean });
    fill(element, ...placesOf(ranking).map((place) => h("li", {}, slice(place, ranking, move(moved.get(place.slice)), base))));
    select(0);
  });
  const mark = onChange((pointed: number | null, _ranking: PatchRanking) => {
    for (const one of element.querySelectorAll(".slice.pointed")) one.classList.remove("pointed");
    if (pointed !== null) element.querySelector(`.slice[data-slice="${pointed}"]`)?.classList.add("pointed");
  });
  return {
    element,
    update({ ranking, other, isClean, base, pointed }) {
      draw(ranking, other, isClean, base);
      mark(pointed, ranking);
    },
  };
}

/** Where a slice is in the other image: the clean image's slice goes to another place, the attacked image's came from one. */
interface Move {
  readonly at: number;
  readonly isClean: boolean;
}

function slice(place: Place, ranking: PatchRanking, move: Move | null, base: string): HTMLElement {
  const isReference = ranking.reference === place.slice;
  const score = number(place.score);
  const [row, column] = [Math.floor(place.slice / ranking.columns), place.slice % ranking.columns];
  const moved = move === null ? "" : move.isClean ? `, the attack moves it to place ${move.at}` : `, moved from place ${move.at}`;
  const image = h("img", { attributes: { src: fileUrl(base, ranking.slices[place.slice] ?? ""), alt: "", draggable: "false" } });
  return h(
    "div",
    {
      class: `slice${isReference ? " reference" : ""}${move === null ? "" : " moved"}`,
      title: `Slice ${place.slice}: row ${row}, column ${column}${isReference ? ", the reference" : ""}${moved}`,
      attributes: {
        role: "img",
        tabindex: -1,
        "data-slice": place.slice,
        "aria-label": `Place ${place.place}: slice ${place.slice} of row ${row} column ${column}, score ${score}${isReference ? ", the reference" : ""}${moved}`,
      },
    },
    image,
    h(
      "span",
      { class: "rank" },
      `${place.place}`,
      move === null ? null : h("span", { class: "from" }, ` ${move.isClean ? "→" : "←"}${move.at}`),
    ),
    h("span", { class: "score" }, score),
    isReference ? h("span", { class: "reference-name" }, "Reference") : null,
  );
}
