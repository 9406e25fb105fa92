// `node bench/imports.mjs probe MODEL DATASET RANGE [DECLARED…]`: the contract probe with 8, 32 and 64 pictures while the contract in force is
// wrong: another range or channel order. RANGE is what the model takes, such as "cifar10 rgb"; DECLARED narrows
// the wrong ones. Exit code 1 where it decided for another range.
import { useBackend } from "../../src/engine/backends/index.ts";
import { createContext } from "../../src/engine/context.ts";
import { probeContract } from "../../src/engine/jobs/probeContract.ts";
import { candidatesOf } from "../../src/engine/probe/candidates.ts";

async function main(): Promise<void> {
  await useBackend("onnxruntime");
  const [model = "", dataset = "", truth = "", ...only] = process.argv.slice(2);
  const ranges = [...candidatesOf(3), ...candidatesOf(1)];
  const taken = ranges.find(({ id }) => id === truth);
  if (!taken) throw new Error(`There is no range "${truth}": ${ranges.map(({ id }) => id).join(", ")}`);
  const candidates = taken.input.channels === "gray" ? candidatesOf(1) : candidatesOf(3);
  const declared = candidates.filter(({ id }) => only.length === 0 || only.includes(id));
  const tally = { right: 0, open: 0, wrong: 0 };
  for (const { id: says, input } of declared)
    for (const limit of [8, 32, 64]) {
      const params = { model, dataset, split: "test", limit, seed: 1, workspace: "." } as const;
      const found = await probeContract(params, { contract: { input } }, createContext());
      const [best] = found.candidates;
      const isRight = found.candidates.some(({ id, sameAsBest }, i) => id === truth && (i === 0 || sameAsBest));
      const end = !found.decided ? "open" : isRight && found.labels === "identity" ? "right" : "wrong";
      tally[end]++;
      const why = found.decided ? `decided ${found.best}, labels ${found.labels}` : `cannot tell: ${found.cannotTell[0]}`;
      console.log(`${says.padEnd(16)} ${String(limit).padStart(2)}: ${end.padEnd(5)} ${best?.id} ${best?.hits} of ${best?.n}; ${why}`);
    }
  console.log(`${model}: ${tally.right} right, ${tally.open} cannot tell, ${tally.wrong} wrong`);
  process.exit(tally.wrong > 0 ? 1 : 0); // readers of HDF5 keep their threads
}
void main();
