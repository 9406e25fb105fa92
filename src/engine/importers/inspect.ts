import type { InputContract } from "../../shared/contract.ts";
import type { ModelCheck } from "../../shared/modelCheck.ts";
import type { ModelInspection } from "../../shared/protocol.ts";
import { runNetwork } from "../classifier/graph.ts";
import { networkInput } from "../classifier/input.ts";
import { inputShapeOf } from "../classifier/network.ts";
import { checkNumbers } from "../classifier/probabilities.ts";
import type { ModelEvidence } from "../rules/evidence.ts";
import { modelRules } from "../rules/index.ts";
import { findingLine, findingsOf } from "../rules/rule.ts";
import { tf, type tfl } from "../tf.ts";
import { outputShape } from "./build.ts";
import { loadNetwork, type OutlinedNetwork, shapeOf } from "./index.ts";
import type { Watch } from "./modelFile.ts";

/** What a model file holds: shapes (null = any size), classes, parameters, layers, and what is known of its input. */
export function describeNetwork(outlined: OutlinedNetwork): ModelInspection {
  const { network, format, contract, contractSource, classes, evidence, notes, forwardOnly } = outlined;
  return {
    format,
    inputShape: shapeOf(network.inputs[0]),
    classes: shapeOf(network.outputs[0]).at(-1) ?? 0,
    parameters: network.countParams(),
    layers: network.layers.map((layer) => ({
      name: layer.name,
      type: layer.getClassName(),
      outputShape: [...outputShape(layer)],
      parameters: layer.countParams(),
      depth: layer.name.split("/").length - 1,
    })),
    contract,
    contractSource,
    classNames: classes?.names ?? null,
    classNamesSource: classes?.source ?? null,
    ...(forwardOnly ? { forwardOnly: forwardOnly.reason } : {}),
    warnings: findingsOf(modelRules, evidence, {}).map(findingLine),
    notes,
  };
}

/**
 * Reads all weights of a model and computes scores with them.
 * @throws as `loadNetwork`: among them MODEL_NAN for weights or scores that are no numbers, MODEL_MISMATCH
 */
export async function checkNetwork(path: string, given?: InputContract, watch?: Watch): Promise<ModelCheck> {
  const { network, contract, comparison, evidence } = await loadNetwork(path, given, { watch });
  try {
    if (!contract.defense) await checkScores(network, contract);
    return {
      difference: comparison?.difference ?? null,
      weights: network.countParams(),
      warnings: warningsByValue(evidence),
      notes: comparison?.notes ?? [],
    };
  } finally {
    network.dispose();
  }
}

/** What the outline could not say, which has no weights. */
function warningsByValue({ byValue, ...outlined }: ModelEvidence): string[] {
  if (!byValue) return [];
  const said = new Set(findingsOf(modelRules, { ...outlined, outputs: "logits" }, {}).map(findingLine));
  const all = findingsOf(modelRules, { ...outlined, byValue }, {});
  return all.filter((finding) => !said.has(findingLine(finding))).map((finding) => `${findingLine(finding)} ${finding.fix}`);
}

/** One pass over a mid-grey image. @throws MODEL_NAN when a score is no number */
async function checkScores(network: tfl.LayersModel, contract: InputContract): Promise<void> {
  const [height, width, channels] = inputShapeOf(network, contract);
  const scores = tf.tidy(() => runNetwork(network, networkInput(tf.fill([1, height, width, channels], 0.5), contract)));
  try {
    checkNumbers(await scores.data());
  } finally {
    scores.dispose();
  }
}
