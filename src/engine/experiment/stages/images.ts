import { batchSizeOf } from "../../classifier/batchSizes.ts";
import { batchesWithin } from "../../evaluation/batches.ts";
import { imageBatches } from "../../evaluation/imageBatches.ts";
import { writeAtomic } from "../../io/files.ts";
import { writeNpz } from "../../io/npz.ts";
import { identitiesOf } from "../../report/datasetFile.ts";
import { memoryOf } from "../costs.ts";
import { type Piece, type PlanFacts, shardKey } from "../piece.ts";
import { imagesPiece } from "../runPieces.ts";
import { overlapping, shardsOf } from "../shards.ts";

const readingCost = 1; // about a forward pass, where pictures have to be decoded

const shards = ({ n, inputShape }: PlanFacts) => shardsOf(n, inputShape, readingCost);

/** The pieces with the clean images of a range. */
export const needsImages = (range: readonly [number, number], facts: PlanFacts): string[] =>
  overlapping(shards(facts), range).map((shard) => shardKey(imagesPiece.group, shard));

/** The test images as all arms see them, read from their source once: `images` [n,H,W,C] in [0,1], `labels` [n], and what they are. */
export const imagePieces = (facts: PlanFacts): Piece[] =>
  shards(facts).map(([start, end]) => ({
    key: shardKey(imagesPiece.group, [start, end]),
    stage: "images",
    phase: "Reading the test images",
    needs: [],
    cost: readingCost * (end - start),
    memory: memoryOf(facts.inputShape, 1),
    images: [start, end],
    of: facts.n,
    device: "evaluate",
    async run({ data, meter, ctx }, folder) {
      const labels = new Int32Array(end - start);
      async function* images(): AsyncGenerator<Float32Array> {
        for await (const [[from, to], batch] of imageBatches(data.test, batchesWithin([start, end], batchSizeOf(facts.inputShape)))) {
          labels.set(batch.labels, from - start);
          yield batch.images;
          meter.report(to - start, end - start);
          await ctx.checkpoint();
        }
      }
      const n = end - start;
      await writeNpz(folder.file(imagesPiece.file), {
        images: { type: "float32", shape: [n, ...facts.inputShape], chunks: images },
        labels: { type: "int32", shape: [n], chunks: () => [labels] },
      });
      await writeAtomic(folder.file(imagesPiece.identities), JSON.stringify(await identitiesOf(data.test, start, end)));
    },
  }));
