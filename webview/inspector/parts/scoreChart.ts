import { number, words } from "../../../src/shared/format.ts";
import type { RankingSettings } from "../../../src/shared/panels.ts";
import type { PatchRanking, RankPatchesResult } from "../../../src/shared/protocol.ts";
import type { Axes, Line, Mark, Plot } from "../../lib/plot.ts";
import { placesOf, scoreOf, unitOf } from "./slices.ts";

/** Scores in volume order; both images' where there are two, each in its own order. */
export function scorePlot(result: RankPatchesResult, shown: PatchRanking, settings: RankingSettings): readonly [Axes, Plot] {
  const unit = unitOf(settings.measure);
  const axes: Axes = {
    title: "Scores in volume order",
    x: "place in the volume",
    y: unit ? `${words(settings.measure)} (${unit})` : words(settings.measure),
    format: (v) => number(v),
    log: false,
  };
  const finite = (ranking: PatchRanking): (number | null)[] => placesOf(ranking).map((p) => (Number.isFinite(p.score) ? p.score : null));
  const lines: Line[] = [
    { label: result.attacked ? "clean image" : "score", colour: 0, dash: [], marker: "circle", y: finite(result.clean) },
    ...(result.attacked
      ? [{ label: "attacked image", colour: 1, dash: [6, 4], marker: "square" as const, y: finite(result.attacked) }]
      : []),
  ];
  return [axes, { x: placesOf(shown).map((p) => p.place), lines, marks: referenceMark(shown) }];
}

function referenceMark(shown: PatchRanking): Mark[] {
  const at = shown.reference === null ? -1 : shown.perm.indexOf(shown.reference);
  if (at < 0 || shown.reference === null) return [];
  return [{ x: at + 1, text: Number.isFinite(scoreOf(shown, shown.reference)) ? "reference" : "reference (infinite)" }];
}
