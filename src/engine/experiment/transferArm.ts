import type { AttackDocument, ImageRecord, StaticResult } from "../../shared/results.ts";
import { armRecordsFile, staticKey } from "../../shared/runs.ts";
import { documented } from "../define/index.ts";
import { scoreAll } from "../evaluation/transfer.ts";
import { exists, readText } from "../io/files.ts";
import { readNpz } from "../io/npz.ts";
import {
  countedForBeta,
  defenseSuccess,
  defenseSuccessOfFooled,
  isCleanCorrect,
  isCorrect,
  robustness,
  share,
  targetOf,
} from "../metrics/robustness.ts";
import type { ResolvedArm } from "./arms.ts";
import type { ArmAttack } from "./attackArm.ts";
import type { RunEnvironment } from "./environment.ts";
import type { OpenArm } from "./openArm.ts";

export interface Transferred {
  readonly result: StaticResult;
  readonly records: readonly ImageRecord[];
}
export const staticPiece = (arm: ResolvedArm, key: string): string => `static:${arm.name}:${key}`;

/** Images that were made without an arm's defence shown to that arm: the attack that does not know the defence. */
export async function transferArm(
  arm: ResolvedArm,
  open: OpenArm,
  own: ArmAttack,
  source: ArmAttack,
  env: RunEnvironment,
): Promise<Transferred> {
  const { store, meter } = env;
  const { key, params, entry } = own.attack;
  const piece = staticPiece(arm, key);
  const file = armRecordsFile(arm.index, arm.name, staticKey(key));
  const fooled = source.document.images;
  const sourceName = source.arm;
  const aimed = targetOf(own.summary.attack);
  if (store.state.completed.includes(piece) && (await exists(store.file(file)))) {
    const { images } = JSON.parse(await readText(store.file(file))) as Pick<AttackDocument, "images">;
    meter.finish(piece, true);
    return { records: images, result: staticResult(sourceName, images, fooled, aimed) };
  }
  meter.begin(piece);
  const arrays = await readNpz(store.file(source.file));
  const [clean, adversarial] = [floats(arrays["clean"]?.data), floats(arrays["adversarial"]?.data)];
  const before = own.document.images;
  const batch = { clean, adversarial, before, target: entry.target?.(params) ?? null };
  const records = await scoreAll(open.classifier, batch, (done, total) => meter.report(done, total), env.ctx);
  const result = staticResult(sourceName, records, fooled, aimed);
  const files = { adversarial: source.file };
  await store.writeJson(file, { run: store.id, attack: documented(own.attack), mode: "static", ...result, images: records, files });
  await store.complete(piece);
  meter.finish(piece);
  return { records, result };
}

/**
 * @param undefended what the same attack did to the model that it was made against
 * @param target class that the attack aims at, whose images do not count in the rates
 */
export function staticResult(
  source: string,
  records: readonly ImageRecord[],
  undefended: readonly ImageRecord[],
  target: number | null,
): StaticResult {
  const n = records.length;
  const counted = countedForBeta(records, target);
  const clean = records.filter(isCleanCorrect).length;
  const correct = records.filter(isCorrect).length;
  return {
    source,
    n,
    clean: { accuracy: share(clean, n), correct: clean },
    attacked: { accuracy: share(correct, n), correct },
    successRate: share(counted.filter((record) => record.success).length, counted.length),
    defenseSuccess: defenseSuccess(records, target),
    defenseSuccessOfFooled: defenseSuccessOfFooled(records, undefended, target),
    robustness: robustness(records),
  };
}

const floats = (data: ArrayLike<number> | undefined): Float32Array => (data instanceof Float32Array ? data : Float32Array.from(data ?? []));
