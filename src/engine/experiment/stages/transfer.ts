import type { ImageRecord } from "../../../shared/results.ts";
import type { Range } from "../../evaluation/batches.ts";
import { transferBatches } from "../../evaluation/transfer.ts";
import { writeAtomic } from "../../io/files.ts";
import type { ResolvedArm } from "../arms.ts";
import { memoryOf, transferCost } from "../costs.ts";
import type { RunEnvironment } from "../environment.ts";
import { networkKey } from "../networks.ts";
import { type Piece, type PlanFacts, type Stage, shardKey } from "../piece.ts";
import type { ResolvedAttack } from "../resolve.ts";
import { adversarialOf, attackShards, needsAttack, targetsIn } from "./attack.ts";
import { cleanPredictions, needsClean } from "./clean.ts";
import { needsImages } from "./images.ts";
import { attacksOf, imagesOf, shownFrom } from "./knowledge.ts";
import { needsNetwork } from "./train.ts";

const file = "records.json";
const groupOf = (arm: ResolvedArm, source: ResolvedArm, attack: ResolvedAttack): string =>
  `transfer:${arm.name}:${source.name}:${attack.key}`;

/** Images that were made on `source` as `arm` meets them, shard by shard. */
export const needsTransfer = (arm: ResolvedArm, source: ResolvedArm, attack: ResolvedAttack, facts: PlanFacts): string[] =>
  attackShards(attack, facts).map((range) => shardKey(groupOf(arm, source, attack), range));

/** Images that were made without an arm's defence shown to that arm; the same ones shown to the control arm. */
export const transferStage: Stage = {
  kind: "transfer",
  pieces(arm, facts) {
    const { control } = facts.sources;
    return attacksOf(facts).flatMap((attack) => {
      const source = shownFrom(arm, attack, facts);
      const shown = source ? [[arm, source] as const] : [];
      // The control meets each source's images once, when the first arm that is compared with them does.
      const isNew = source && control && arm !== control && firstShown(source, attack, facts) === arm;
      const controlled =
        isNew && facts.hasModel(control) && shownFrom(control, attack, facts) !== source ? [[control, source] as const] : [];
      return [...shown, ...controlled].flatMap(([to, from]) => transferPieces(to, from, attack, facts));
    });
  },
};

const firstShown = (source: ResolvedArm, attack: ResolvedAttack, facts: PlanFacts): ResolvedArm | undefined =>
  facts.order.find((arm) => arm !== facts.sources.control && shownFrom(arm, attack, facts) === source);

/** Shows `arm` the images that the attack left on `source`, shard by shard. */
export const transferPieces = (arm: ResolvedArm, source: ResolvedArm, attack: ResolvedAttack, facts: PlanFacts): Piece[] =>
  attackShards(attack, facts).map((range) => transferPiece(arm, source, attack, range, facts));

function transferPiece(arm: ResolvedArm, source: ResolvedArm, attack: ResolvedAttack, range: Range, facts: PlanFacts): Piece {
  return {
    key: shardKey(groupOf(arm, source, attack), range),
    stage: "transfer",
    phase: `Showing ${arm.name} the images made on ${source.name}`,
    arm: arm.name,
    attack: attack.key,
    needs: [
      ...needsNetwork(arm, facts),
      ...needsImages(range, facts),
      ...needsClean(arm, range, facts),
      needsAttack(source, attack, range),
    ],
    cost: transferCost(arm, facts) * (range[1] - range[0]),
    network: networkKey(arm),
    memory: memoryOf(facts.inputShape, 100),
    images: range,
    of: imagesOf(attack, facts.n),
    device: "evaluate",
    async run(env, folder) {
      const { classifier: model } = await env.networks.open(arm);
      const task = {
        model,
        images: env.images,
        adversarial: adversarialOf(source, attack, env),
        cleanPredictions: cleanPredictions(arm, env),
        targetOf: await targetsIn(source, attack, range, env),
        criterion: attack.entry.criterion?.(attack.params),
        onProgress: (done: number) => env.meter.images(done),
      };
      const records: ImageRecord[] = [];
      for await (const batch of transferBatches(task, range, env.ctx)) records.push(...batch);
      await writeAtomic(folder.file(file), JSON.stringify(records));
    },
  };
}

/** What became of the images of `source` on `arm`; null where they were not shown to it. */
export async function transferRecords(
  arm: ResolvedArm,
  source: ResolvedArm,
  attack: ResolvedAttack,
  env: RunEnvironment,
): Promise<ImageRecord[] | null> {
  const group = groupOf(arm, source, attack);
  return env.pieces.group(group).length === 0 ? null : (await env.pieces.jsonOf<ImageRecord[]>(group, file)).flat();
}
