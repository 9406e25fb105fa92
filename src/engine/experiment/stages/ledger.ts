import { staticKey } from "../../../shared/runs.ts";
import { type DatasetDocument, datasetDocument, writeDataset } from "../../report/datasetFile.ts";
import { type ArmLedger, writeLedger } from "../../report/ledgerFile.ts";
import type { ResolvedArm } from "../arms.ts";
import type { RunEnvironment } from "../environment.ts";
import { storedIdentities, storedLabels } from "../runPieces.ts";
import { ledgerColumns } from "./analyse.ts";
import { cleanPredictions, cleanProbabilities } from "./clean.ts";
import { type MergedAttack, mergedAttack } from "./merge.ts";

/** Writes `dataset.json` and `ledger.npz` of finished arms, and returns what the first says. @throws DISK_FULL, NOT_WRITABLE */
export async function writeImageFiles(arms: readonly ResolvedArm[], env: RunEnvironment): Promise<DatasetDocument> {
  const { pieces, data, store } = env;
  const identities = await storedIdentities(pieces);
  const labels = await storedLabels(pieces, env.images.n);
  const document = datasetDocument(identities, { ...data, ...data.origin, labels: [...labels] });
  await writeDataset(store.directory, document);
  const ledgers: ArmLedger[] = [];
  for (const arm of arms) ledgers.push(await ledgerOf(arm, env));
  await writeLedger(store.directory, document.labels, ledgers);
  return document;
}

async function ledgerOf(arm: ResolvedArm, env: RunEnvironment): Promise<ArmLedger> {
  const { n } = env.images;
  const clean = await cleanPredictions(arm, env)(0, n);
  const probabilities = await cleanProbabilities(arm, env);
  const classes = probabilities.length / n;
  const attacks = env.mode === "train" ? [] : env.experiment.attacks;
  const merged = await Promise.all(attacks.map(async (attack) => ({ key: attack.key, ...(await mergedAttack(arm, attack, env)) })));
  return {
    arm: arm.name,
    clean,
    cleanConfidence: Float32Array.from(clean, (prediction, i) => probabilities[i * classes + prediction] as number),
    attacks: merged.flatMap(columnsOf),
    analyses: await ledgerColumns(arm, env),
  };
}

/** The attack as it was made on the arm, and the static images beside it. */
function columnsOf({ key, summary, records, transferred }: MergedAttack & { readonly key: string }): ArmLedger["attacks"] {
  const own = { attack: summary.mode === "static" ? staticKey(key) : key, images: records };
  return transferred ? [own, { attack: staticKey(key), images: transferred.transferred }] : [own];
}
