import path from "node:path";
import { Type } from "@sinclair/typebox";
import { type InputContract, InputContractSchema } from "../../shared/contract.ts";
import { BulwarkError } from "../../shared/errors.ts";
import { defaultTrain } from "../../shared/experiment.ts";
import { type FitRule, fitRules } from "../../shared/fit.ts";
import type { Choice } from "../../shared/results.ts";
import { runFiles } from "../../shared/runs.ts";
import { fields, list, natural, num, oneOf, orNull, type Shape, text, whole } from "../../shared/shapes.ts";
import type { Classifier } from "../classifier/classifier.ts";
import { requireAccess, requirePreparation } from "../classifier/forwardOnly.ts";
import type { RunContext } from "../context.ts";
import { type Bound, defineDataset, type InferenceDefense, type Split } from "../define/index.ts";
import { classesOf, refuseOtherNames } from "../evaluation/classMatch.ts";
import { checkShape, fingerprint } from "../evaluation/dataset.ts";
import { type NamedImages, type OpenedImages, openImages } from "../evaluation/source.ts";
import type { LabelChoice } from "../evaluation/trueLabel.ts";
import { bind } from "../registry.ts";
import { originOf } from "../report/datasetFile.ts";
import { behindDefenses, frontDefenses } from "../session/frontDefenses.ts";
import { openModel } from "../session/openModel.ts";
import { defensesOf, type ResolvedArm, withCarried } from "./arms.ts";
import type { RunData } from "./data.ts";
import type { Execution } from "./execute.ts";
import { attackLayout } from "./layout.ts";
import type { StaticSources } from "./networks.ts";
import { Handover } from "./openNetworks.ts";
import { attackStages } from "./plan.ts";
import type { ResolvedExperiment } from "./resolve.ts";
import { undefendedBeside } from "./siblings.ts";
import { resultPiece } from "./stages/result.ts";

/** One attack on one model, as `bulwark attack` asks for it. It is saved with the run, so that this can be resumed. */
export interface AttackRequest {
  readonly model: string;
  /** Picture files; or else `dataset`, as `kind` or `kind:path`. */
  readonly images: readonly string[];
  readonly dataset: string | null;
  readonly split: Split;
  readonly limit: number | null;
  /** Class that the pictures show, by name or index; null for none, the model's own prediction. Left out, the files around them may say it. */
  readonly label?: LabelChoice;
  /** How pictures of another size are fitted; as the model's contract says when left out. */
  readonly fit?: FitRule | undefined;
  readonly attack: Choice;
  /** Put in front of the model, the first met first by an image. */
  readonly defenses: readonly Choice[];
  /** `static`: the images are made without the defence, then shown to the defended model. */
  readonly mode: "adaptive" | "static" | null;
  /** Undefended model that static images are made against; the model without `defenses` when left out. */
  readonly surrogate?: string | undefined;
  /** Replaces the input contract beside the model; a surrogate keeps its own. */
  readonly contract?: InputContract | undefined;
  readonly seed: number;
  /** Where data sets are looked for. */
  readonly workspace: string;
}

const optional = Type.Optional;
const choice = Type.Object({ id: text, label: optional(text), params: fields });
/** The same as `experiment.json` of a run keeps it. */
export const attackRequest: Shape<AttackRequest> = Type.Object({
  ...{ model: text, images: list(text), dataset: orNull(text), split: oneOf(["train", "test"]), limit: orNull(natural) },
  label: optional(orNull(Type.Union([whole, text]))),
  fit: optional(oneOf(fitRules)),
  ...{ attack: choice, defenses: list(choice), mode: orNull(oneOf(["adaptive", "static"])), surrogate: optional(text) },
  ...{ contract: optional(InputContractSchema), seed: num, workspace: text },
});

/** An attack that is ready to run: all that can be refused has been. */
export interface AttackRun
  extends Pick<Execution, "experiment" | "mode" | "modelPath" | "layout" | "openData" | "end" | "stages" | "sources" | "opened"> {
  readonly title: string;
  readonly data: RunData;
  close(): Promise<void>;
}

/** What `report.json` is for an experiment: its name where an attack's run names its source. */
export const attackSource = "bulwark attack";

/**
 * A single attack as an experiment of one arm, which is only evaluated; a second arm is there where static images come from another model.
 * @throws USAGE where there is no defence to know of or to leave out, and what opening the models and the images throws
 */
export async function attackRun(request: AttackRequest, ctx: RunContext): Promise<AttackRun> {
  const { attacked, surrogate } = await armsOf(request);
  const { knowledge, images, data, network } = await opened(request, surrogate, ctx);
  const experiment = experimentOf(request, attacked, knowledge);
  return {
    experiment,
    mode: "evaluate",
    modelPath: null,
    layout: attackLayout,
    stages: attackStages,
    sources: surrogate ? () => surrogateSources(attacked, surrogate) : undefined,
    openData: async () => data,
    data,
    opened: network,
    end: { piece: (before, facts) => resultPiece(before, facts, request.images), file: runFiles.result },
    title: titleOf(request),
    close: () => {
      network.close();
      return images.close();
    },
  };
}

const titleOf = ({ attack, dataset, images }: AttackRequest): string =>
  `${attack.id} ${dataset ?? images.map((file) => path.basename(file)).join(" ")}`;

const armOf = (name: string, index: number, file: string, front: readonly Bound<InferenceDefense>[], o: AttackRequest): ResolvedArm => ({
  index,
  name,
  seed: o.seed,
  model: { file: path.resolve(file), input: o.contract ?? null, fineTune: false },
  carried: [],
  training: [],
  front,
  train: defaultTrain,
});

interface AttackArms {
  readonly attacked: ResolvedArm;
  readonly surrogate?: ResolvedArm;
}

/** The attacked model, and the one that static images are made against where it is another one. */
async function armsOf(o: AttackRequest): Promise<AttackArms> {
  const front = frontDefenses(o.defenses);
  const [attacked] = await withCarried([armOf("attacked", 0, o.model, front, o)]);
  if (!attacked) throw new Error("an arm was lost");
  if (o.mode === null) return { attacked };
  const carried = defensesOf(attacked).at(-1);
  if (!carried)
    throw new BulwarkError("USAGE", `${o.model} has no defence.`, "Leave out --static and --adaptive, or put one in front with --defense.");
  if (o.mode === "adaptive") return { attacked };
  const surrogate = o.surrogate ?? (front.length === 0 ? await undefendedBeside(o.model) : undefined);
  if (surrogate === undefined && front.length === 0)
    throw new BulwarkError(
      "USAGE",
      `The defence ${carried.id} is trained into ${o.model}: it cannot be left out.`,
      "Name an undefended model that the images are made against with --surrogate.",
    );
  return surrogate === undefined
    ? { attacked }
    : { attacked, surrogate: armOf("surrogate", -1, surrogate, [], { ...o, contract: undefined }) };
}

const surrogateSources = (attacked: ResolvedArm, surrogate: ResolvedArm): StaticSources => ({
  undefended: surrogate,
  control: null,
  unlisted: [surrogate],
  of: (arm) => (arm.name === attacked.name ? surrogate : null),
});

/** Opens models and images, to see that they fit. The attacked network stays open for the run; images are read again as it needs them. */
async function opened(o: AttackRequest, surrogate: ResolvedArm | undefined, ctx: RunContext) {
  const network = new Handover(path.resolve(o.model), await openModel(o.model, { contract: o.contract }));
  try {
    const model = await behindDefenses(network.classifier, o.defenses, ctx.rng);
    if (surrogate && "file" in surrogate.model) await checkSurrogate(model, surrogate.model.file, o);
    else requireAccessOf(o, model);
    const { dataset, split, limit, workspace, label, fit } = o;
    const choice = { files: o.images, dataset, split, limit, workspace, label, fit, unmatched: "nameFlag" } as const;
    const images = await openImages(choice, model, o.model, ctx);
    const knowledge = o.mode === "static" ? "static" : "adaptive";
    return { knowledge, images, data: await dataOf(images, model, o), network } as const;
  } catch (thrown) {
    network.close();
    throw thrown;
  }
}

/** @throws MODEL_FORWARD_ONLY */
function requireAccessOf({ attack: { id, params } }: AttackRequest, model: Classifier): void {
  const { entry, params: complete } = bind("attack", { ...params, kind: id });
  requireAccess(entry, complete, model);
  requirePreparation(entry, complete, model);
}

async function checkSurrogate(model: Classifier, file: string, o: AttackRequest): Promise<void> {
  const { classifier: other } = await openModel(file);
  try {
    requireAccessOf(o, other);
    checkShape(other, model.inputShape, file);
    if (other.classes !== model.classes)
      throw new BulwarkError(
        "MODEL_INVALID",
        `${file} has ${other.classes} classes, ${o.model} has ${model.classes}.`,
        "Name a model of the same classes.",
      );
    refuseOtherNames(classesOf(model, o.model), classesOf(other, file));
  } finally {
    other.dispose();
  }
}

async function dataOf(opened: OpenedImages, model: Classifier, o: AttackRequest): Promise<RunData> {
  const { images, chosen, training, notes, skipped, labelSources } = opened;
  const { inputShape, classes, classNames } = model;
  const prepares = bind("attack", { ...o.attack.params, kind: o.attack.id }).entry.preparation !== undefined;
  return {
    inputShape,
    classNames,
    classes,
    notes,
    skipped,
    ...(labelSources ? { labelSources } : {}),
    test: images,
    origin: originOf(o),
    trainSize: 0,
    available: images.n,
    preparation: { images: training ?? chosen, isOnItsOwn: training === null },
    sha256: await fingerprint(images),
    trainSha256: prepares && training ? await fingerprintOf(training, inputShape) : "",
    split: () => {
      throw new Error("an attack trains nothing");
    },
    boxes: () => [],
    close: async () => undefined, // the images are closed by whoever opened them
  };
}

const fingerprintOf = (images: NamedImages, inputShape: RunData["inputShape"]): Promise<string> =>
  fingerprint({
    n: images.size,
    inputShape,
    read: (start, end) => images.read(Int32Array.from({ length: end - start }, (_, i) => start + i)),
  });

function experimentOf(o: AttackRequest, attacked: ResolvedArm, knowledge: "static" | "adaptive"): ResolvedExperiment {
  const attack = bind("attack", { ...o.attack.params, kind: o.attack.id });
  const madeOn = attack.entry.preparation?.madeOn?.(attack.params, knowledge === "static" ? "transfer" : "whitebox");
  return {
    name: titleOf(o),
    seed: o.seed,
    dataset: { ...images, train: 0, test: o.limit },
    arms: [attacked],
    control: false,
    attacks: [{ ...attack, params: madeOn ?? attack.params, key: attack.id, knowledge }],
    detectors: [],
    explanations: [],
    analyses: [],
    further: [],
    expect: [],
    plugins: [],
  };
}

/** Stands where an experiment names its data set: the request says what the images are. */
const images = {
  id: "images",
  params: {},
  entry: defineDataset({
    id: "images",
    title: "Named images",
    paper: "",
    params: Type.Object({}),
    load: () => {
      throw new Error("named images are no data set");
    },
  }),
};
