import type { RunEnvironment } from "./environment.ts";

/**
 * Does the pieces of a run that are not done, one after another in their order, in this process. What would stop a piece later is
 * refused before the first of them. A piece is there as a whole or not at all, so a run that is stopped anywhere goes on from there.
 * @throws what the pieces throw, CANCELLED
 */
export async function driveLocally(env: RunEnvironment): Promise<void> {
  const { pieces, meter, ctx, store } = env;
  const left = pieces.all.filter(({ key }) => !pieces.isDone(key));
  for (const piece of left) await piece.check?.(env);
  for (const piece of pieces.all) if (pieces.isDone(piece.key)) meter.skip(piece, await pieces.timeOf(piece));
  for (const piece of pieces.all) {
    if (pieces.isDone(piece.key)) continue;
    const missing = piece.needs.find((need) => !pieces.isDone(need));
    if (missing) throw new Error(`${piece.key} comes before ${missing}, which it needs`);
    await ctx.checkpoint();
    meter.begin(piece);
    store.takeOutputs();
    const o = { share: () => meter.share, leaves: () => store.takeOutputs() };
    const published = await pieces.publish(piece, (folder) => piece.run(env, folder), o);
    if (published === "conflict")
      env.emit({ kind: "warning", message: `${piece.phase}: another process came to a different result; the first one stays.` });
    meter.finish(piece);
  }
}
