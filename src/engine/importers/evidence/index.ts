import path from "node:path";
import { type InputContract, inputRange, inputRangeText, type KnownFrom } from "../../../shared/contract.ts";
import { exists } from "../../io/files.ts";
import type { tfl } from "../../tf.ts";
import { contractFile } from "../locate.ts";
import { nameOutputs } from "./classNames.ts";
import type { ClassList, InputEvidence } from "./evidence.ts";
import { firstLayerEvidence } from "./firstLayer.ts";
import { kerasApplication } from "./kerasApplications.ts";
import type { Sidecars } from "./sidecars.ts";

export type { ClassList, InputEvidence } from "./evidence.ts";

/** What is known of how a model takes images and what its outputs are called. */
export interface ModelKnowledge {
  /** As it was given or lies beside the model, with what evidence adds to it. */
  readonly contract: InputContract;
  /** Where its input range comes from. */
  readonly contractSource: KnownFrom;
  readonly classes: ClassList | null;
  /** The contract's range is not the one that the file itself speaks for; in words, null where they agree. */
  readonly contradiction: string | null;
  /** Files beside the model that were not understood, for the user to know. */
  readonly notes: readonly string[];
}

export interface ModelFacts {
  /** The `model.json`, the ONNX file or the Keras file. */
  readonly file: string;
  readonly network: tfl.LayersModel;
  /** What the files beside the model, and metadata inside it, say. */
  readonly sidecars: Sidecars;
  /** What the file itself says of its input. */
  readonly own?: InputEvidence | undefined;
  /** The contract that was named stands in place of the one beside the model. */
  readonly isGiven: boolean;
  /** Nobody asks for class names, which may not fit. */
  readonly isUnnamed?: boolean | undefined;
}

/**
 * Completes a contract by what else is known of a model: data its maker left, its first layer, its name. What the contract says is kept.
 * @throws MODEL_INVALID where class names and outputs do not fit
 */
export async function knowledgeOf(contract: InputContract, facts: ModelFacts): Promise<ModelKnowledge> {
  const { file, network } = facts;
  const outputs = network.outputs[0]?.shape.at(-1) ?? null;
  const layer = contract.defense ? null : await firstLayerEvidence(network);
  const { evidence: sidecars, notes } = facts.sidecars;
  const known = kerasApplication(network.name, outputs);
  const evidence = [facts.own ?? null, layer, ...sidecars, known].filter((one) => one !== null);
  const stated = facts.isGiven ? "the contract given with the model" : path.basename(contractFile(file));
  const image = imageOf(network, contract);
  const wanted = { file, count: contract.defense ? null : outputs, image };
  const unnamed = { classes: null, labelOffset: contract.output?.labelOffset ?? 0, notes: [] };
  const named = facts.isUnnamed ? unnamed : await nameOutputs(contract, stated, evidence, wanted);
  const { classes, labelOffset } = named;
  const range = evidence.find(({ input }) => input.scale !== undefined);
  const isStated = await statesRange(contract, file, facts.isGiven);
  const source: KnownFrom = isStated
    ? { kind: facts.isGiven ? "given" : "file", text: stated }
    : (range?.source ?? { kind: "assumed", text: "assumed" });
  const output = labelOffset === (contract.output?.labelOffset ?? 0) ? contract.output : { ...contract.output, labelOffset };
  const input = isStated ? contract.input : completed(contract.input, evidence, network);
  return {
    contract: { ...contract, input, ...(output ? { output } : {}) },
    contractSource: source,
    classes,
    contradiction: isStated ? contradictionOf(contract, stated, [facts.own ?? null, layer, ...sidecars]) : null,
    notes: [...notes, ...named.notes],
  };
}

/** A range is stated by `mean` or `scale`. Models that Bulwark trained say so since they are saved with both; `training.json` marks older ones. */
async function statesRange({ input, defense }: InputContract, file: string, isGiven: boolean): Promise<boolean> {
  if (input.mean !== undefined || input.scale !== undefined || defense !== undefined) return true;
  return !isGiven && (await exists(path.join(path.dirname(file), "training.json")));
}

/** Fields that the contract leaves out, from the first evidence that has them; sizes and channels only where the network leaves them open. */
function completed(stated: InputContract["input"], evidence: readonly InputEvidence[], network: tfl.LayersModel): InputContract["input"] {
  const range = evidence.find(({ input }) => input.scale !== undefined)?.input ?? {};
  const shape = network.inputs[0]?.shape.slice(1) ?? [];
  const all = Object.assign({}, ...evidence.map(({ input }) => input).reverse(), range) as InputContract["input"];
  const { size, channels, ...rest } = all;
  const isOpen = shape.length === 3 && shape.slice(0, 2).some((side) => side === null);
  const order = channels === "gray" ? shape.at(-1) === 1 : channels !== undefined && shape.at(-1) === 3;
  return { ...rest, ...(size && isOpen ? { size } : {}), ...(channels && order ? { channels } : {}), ...stated };
}

/** Height, width and channels of the images, null for any. */
function imageOf(network: tfl.LayersModel, { input }: InputContract): (number | null)[] {
  const shape = network.inputs[0]?.shape.slice(1) ?? [];
  const [height, width, channels] = input.layout === "nchw" ? [shape[1], shape[2], shape[0]] : shape;
  const [h, w] = input.size ?? [height ?? null, width ?? null];
  return [h, w, channels ?? null];
}

/** Ranges that differ in width by more than this are not two ways to say the same. */
const tolerance = 1.6;

function contradictionOf({ input }: InputContract, stated: string, evidence: readonly (InputEvidence | null)[]): string | null {
  const other = evidence.find((one) => one !== null && one.input.scale !== undefined && differ(input, one.input));
  if (!other) return null;
  return `${stated} feeds the network ${inputRangeText(input)}, but ${other.source.text} speaks for ${inputRangeText(other.input)}`;
}

type Range = Pick<InputContract["input"], "mean" | "scale">;

/** By width, and by whether black is below zero. */
function differ(a: Range, b: Range): boolean {
  const [one, two] = [inputRange(a), inputRange(b)].map(({ low, high }) => {
    const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
    return { low: Math.min(mean(low), mean(high)), width: Math.abs(mean(high) - mean(low)) };
  });
  if (!one || !two) return false;
  const ratio = one.width / two.width;
  return ratio > tolerance || ratio < 1 / tolerance || Math.abs(one.low - two.low) > 0.4 * two.width;
}
