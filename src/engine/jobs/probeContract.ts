import path from "node:path";
import type { ContractProbe, FoundContract, ProbeParams, ProbeUpdate } from "../../shared/probe.ts";
import type { RunContext } from "../context.ts";
import { readContract } from "../importers/contract.ts";
import { loadNetwork } from "../importers/index.ts";
import { contractFile, locateModel } from "../importers/locate.ts";
import { writeAtomic } from "../io/files.ts";
import { probe } from "../probe/probe.ts";
import type { Engine } from "../session/engine.ts";
import { classifierOfLoaded } from "../session/openModel.ts";

/**
 * The contract probe: how a model takes its images, from labelled ones. Writes nothing; `writeProbe` does.
 * @throws what opening model and images throws
 */
export async function probeContract(
  params: ProbeParams,
  engine: Pick<Engine, "contract">,
  ctx: RunContext,
  update: (update: ProbeUpdate) => void = () => undefined,
): Promise<ContractProbe> {
  const loaded = await loadNetwork(params.model, engine.contract);
  const main = classifierOfLoaded(loaded, params.model);
  try {
    const withInput = (input: typeof loaded.contract.input) =>
      classifierOfLoaded({ ...loaded, contract: { ...loaded.contract, input } }, params.model, undefined, { freeze: false });
    const result = await probe({ loaded, params, withInput }, ctx, update);
    const hits = result.candidates[0]?.hits ?? 0;
    const { dataset, split, n } = result;
    const contract = result.contract && { ...result.contract, probe: { sha256: loaded.sha256, dataset, split, n, hits } };
    return { ...result, contract, written: null };
  } finally {
    main.dispose();
  }
}

/**
 * Writes what a probe decided into `<model>.bulwark.json`; fields of a contract that is there stay but for those that were decided.
 * @returns the file
 * @throws MODEL_INVALID for a contract that cannot be read, NOT_WRITABLE, DISK_FULL
 */
export async function writeProbe({ model, contract }: FoundContract): Promise<string> {
  if (!contract) throw new Error("a probe that decided nothing has nothing to write");
  const file = contractFile(await locateModel(model));
  const stored = await readContract(file);
  const { input, output, probe: measured } = contract;
  const offset = output?.labelOffset === undefined ? {} : { labelOffset: output.labelOffset };
  const outputs = { ...stored.output, ...offset };
  const merged = {
    ...stored,
    input: { ...stored.input, ...input },
    ...(Object.keys(outputs).length > 0 ? { output: outputs } : {}),
    ...(measured ? { probe: measured } : {}),
  };
  await writeAtomic(file, `${JSON.stringify(merged, null, 2)}\n`);
  return path.resolve(file);
}
