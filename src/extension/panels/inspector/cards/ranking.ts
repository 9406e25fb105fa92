import path from "node:path";
import { type PatchRanking, type RankPatchesResult, requests } from "../../../../shared/protocol.ts";
import type { CardKind } from "./index.ts";

/** The slices of the image in volume order, and those of the attacked one. Needs no model. */
export const ranking: CardKind<"ranking"> = {
  async ask({ services, inspected, attacked, params, signal }) {
    const { run, folder } = inspected;
    const images = attacked
      ? { image: path.join(run, attacked.before.image), attacked: path.join(run, attacked.after.image) }
      : { image: inspected.image };
    const ranked = await services.engine.request(requests.rankPatches, { ...images, ...params, directory: path.join(run, folder) }, signal);
    const onRemainder = ranked.onRemainder === "reflectPad" ? ranked.onRemainder : params.onRemainder;
    return { params: { ...params, patch: ranked.clean.patch, onRemainder }, result: folder === "" ? ranked : inFolder(ranked, folder) };
  },
  pictures: ({ image }) => [image],
  // The panel asks when its section is open.
  again: () => undefined,
};

function inFolder(ranked: RankPatchesResult, folder: string): RankPatchesResult {
  const join = (name: string): string => `${folder}/${name}`;
  const ranking = (one: PatchRanking): PatchRanking => ({ ...one, slices: one.slices.map(join) });
  return {
    ...ranked,
    image: join(ranked.image),
    clean: ranking(ranked.clean),
    attacked: ranked.attacked ? ranking(ranked.attacked) : null,
  };
}
