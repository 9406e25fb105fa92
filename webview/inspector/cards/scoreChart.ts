import type { ChartPoint, LineFigure } from "../../../src/shared/figures/figure.ts";
import { capital, words } from "../../../src/shared/format.ts";
import type { PatchRanking, RankPatchesResult } from "../../../src/shared/protocol.ts";
import type { RankingSettings } from "./rankingFlow.ts";
import { placesOf, scoreOf, unitOf } from "./slices.ts";

/** Scores in volume order; both images' where there are two, each in its own order. */
export function scoreFigure(result: RankPatchesResult, shown: PatchRanking, settings: RankingSettings): LineFigure {
  const unit = unitOf(settings.measure);
  const points = (ranking: PatchRanking): ChartPoint[] =>
    placesOf(ranking).map(({ place, score }) => ({ x: place, y: Number.isFinite(score) ? score : null }));
  const clean = { label: result.attacked ? "Clean image" : "Score", colour: 0, points: points(result.clean) };
  const attacked = result.attacked ? [{ label: "Attacked image", colour: 1, isDashed: true, points: points(result.attacked) }] : [];
  return {
    kind: "line",
    title: "Scores in volume order",
    x: { label: "Place in the volume", format: "count" },
    y: { label: capital(words(settings.measure)), ...(unit ? { unit } : {}), format: "number" },
    series: [clean, ...attacked],
    marks: referenceMark(shown),
  };
}

function referenceMark(shown: PatchRanking): { x: number; text: string }[] {
  const at = shown.reference === null ? -1 : shown.perm.indexOf(shown.reference);
  if (at < 0 || shown.reference === null) return [];
  return [{ x: at + 1, text: Number.isFinite(scoreOf(shown, shown.reference)) ? "Reference" : "Reference (infinite)" }];
}
