import type { Classifier } from "../classifier/classifier.ts";
import { classifierOf } from "../classifier/network.ts";
import { attackChecks } from "../conformance/attackChecks.ts";
import type { Check } from "../conformance/check.ts";
import { datasetChecks } from "../conformance/datasetChecks.ts";
import { defenseChecks } from "../conformance/defenseChecks.ts";
import type { RunContext } from "../context.ts";
import { type Attack, type DatasetSpec, type ImageBatch, isInference, type Params } from "../define/index.ts";
import { predict } from "../harness/predict.ts";
import { createRandom } from "../random.ts";
import { bind } from "../registry.ts";
import { tfl } from "../tf.ts";
import { setPatience } from "./deadline.ts";
import { asPluginError } from "./guard.ts";
import { type LoadedPlugin, usePlugin } from "./load.ts";

/** What became of one check. */
export interface CheckResult {
  readonly kind: string;
  readonly id: string;
  /** What the entry was tried on; empty for a data set. */
  readonly on: string;
  readonly check: string;
  /** Null where it holds. */
  readonly problem: string | null;
}
export interface PluginReport extends LoadedPlugin {
  readonly checks: readonly CheckResult[];
}

interface CheckOptions {
  /** Parameters of a data set. */
  params(id: string): Params;
  /** What their paths are relative to. */
  readonly directory: string;
}

type Shape = readonly [height: number, width: number, channels: number];
const shapes: readonly Shape[] = [
  [8, 8, 1],
  [16, 16, 3],
];
const images = 3;
/** Seconds; a step on the small networks takes less than one. */
const smallPatience = 30;

/**
 * Runs a plugin and tries every entry as the conformance tests try Bulwark's own: attacks and defences on small random networks, data sets
 * on the files that their defaults or `params` name.
 * @param o `onResult` is called with every result as it comes
 * @throws PLUGIN_INVALID where the file cannot be used at all
 */
export async function checkPlugin(
  file: string,
  o: CheckOptions & { onResult?(result: CheckResult): void },
  ctx: () => RunContext,
): Promise<PluginReport> {
  setPatience(smallPatience);
  const plugin = await usePlugin(file);
  const checks: CheckResult[] = [];
  for (const { kind, id } of plugin.entries)
    for (const [on, list] of await checksOf(kind, id, o, ctx))
      for (const { name, run } of list) {
        await ctx().checkpoint();
        const problem = await problemOf(run, plugin.file);
        const result = { kind, id, on, check: name, problem };
        checks.push(result);
        o.onResult?.(result);
      }
  return { ...plugin, checks };
}

async function problemOf(run: Check["run"], file: string): Promise<string | null> {
  try {
    await run();
    return null;
  } catch (thrown) {
    const own =
      thrown instanceof Error && thrown.stack?.includes(file.replaceAll("\\", "/")) ? asPluginError(thrown, file, "failed") : thrown;
    return own instanceof Error ? own.message : String(own);
  }
}

async function checksOf(
  kind: LoadedPlugin["entries"][number]["kind"],
  id: string,
  o: CheckOptions,
  ctx: () => RunContext,
): Promise<(readonly [on: string, checks: readonly Check[]])[]> {
  if (kind === "dataset") {
    const { entry, params } = bind("dataset", { ...o.params(id), kind: id }, { directory: o.directory });
    return [["", datasetChecks(entry as DatasetSpec, params, ctx)]];
  }
  const found: (readonly [string, readonly Check[]])[] = [];
  for (const shape of shapes) {
    const model = smallModel(shape);
    const on = `images of ${shape.join("×")}`;
    if (kind === "attack") {
      const target = { model, batch: await rightBatch(model) };
      found.push([on, attackChecks(bind("attack", { kind: id }).entry as Attack, () => target)]);
    } else {
      const bound = bind("defense", { kind: id });
      if (isInference(bound)) found.push([on, defenseChecks(bound.entry, () => model, shape)]);
    }
  }
  return found;
}

/** Convolution, ReLU, pooling and a dense layer, of random weights and three classes. */
function smallModel(shape: Shape): Classifier {
  const init = (seed: number) => tfl.initializers.glorotUniform({ seed });
  const input = tfl.input({ shape: [...shape] });
  let x = tfl.layers.conv2d({ filters: 4, kernelSize: 3, padding: "same", kernelInitializer: init(11) }).apply(input);
  x = tfl.layers.reLU().apply(x);
  x = tfl.layers.maxPooling2d({ poolSize: 2 }).apply(x);
  x = tfl.layers.flatten().apply(x);
  x = tfl.layers.dense({ units: 3, kernelInitializer: init(12) }).apply(x);
  return classifierOf(tfl.model({ inputs: input, outputs: x as tfl.SymbolicTensor }), { contract: { input: {} }, outputs: "logits" });
}

/** Random images whose labels are the model's predictions: there is something to attack on all of them. */
async function rightBatch(model: Classifier): Promise<ImageBatch> {
  const pixels = model.inputShape.reduce((product, side) => product * side, 1);
  const noise = createRandom(7).uniforms(images * pixels);
  return { images: noise, labels: await predict(model, noise), n: images };
}
