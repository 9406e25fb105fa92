import { armModelFolder } from "../../shared/runs.ts";
import { checkDefenses } from "../classifier/checkDefenses.ts";
import type { Classifier } from "../classifier/classifier.ts";
import { defended } from "../classifier/defended.ts";
import type { RunContext } from "../context.ts";
import type { ModelFacts } from "../define/index.ts";
import { checkShape } from "../evaluation/dataset.ts";
import { type OpenedModel, type OpenOptions, openModel } from "../session/openModel.ts";
import type { ResolvedArm } from "./arms.ts";

/** Where an arm's network lies. */
export interface ModelPlace {
  readonly path: string;
  readonly options: OpenOptions;
}
export interface OpenArm {
  /** With everything that stands in front of it. It is closed when another network is opened. */
  readonly classifier: Classifier;
  readonly modelHash: string;
}

/** A network that is open already; whoever takes it closes it. */
export class Handover {
  readonly path: string;
  readonly sha256: string;
  readonly classifier: Classifier;
  #model: OpenedModel | null;

  constructor(path: string, model: OpenedModel) {
    this.path = path;
    this.sha256 = model.sha256;
    this.classifier = model.classifier;
    this.#model = model;
  }

  /** Null once it was taken or closed. */
  take(): OpenedModel | null {
    const model = this.#model;
    this.#model = null;
    return model;
  }

  close(): void {
    this.take()?.classifier.dispose();
  }
}

/** The networks of a run, one open at a time: pieces of one network follow one another. */
export class OpenNetworks {
  /** Where the network of an arm lies; null where there is none. */
  readonly placeOf: (arm: ResolvedArm) => ModelPlace | null;
  readonly #inputShape: ModelFacts["inputShape"];
  readonly #ctx: RunContext;
  readonly #tried = new Set<string>();
  #open: { readonly path: string; readonly model: OpenedModel } | null = null;

  /** @param opened is open when the run begins: it need not be loaded, nor its graphs be compiled, again */
  constructor(
    placeOf: (arm: ResolvedArm) => ModelPlace | null,
    inputShape: ModelFacts["inputShape"],
    ctx: RunContext,
    opened?: Handover | undefined,
  ) {
    this.placeOf = placeOf;
    this.#inputShape = inputShape;
    this.#ctx = ctx;
    const model = opened?.take();
    if (opened && model) this.#open = { path: opened.path, model };
  }

  /** @throws IMAGE_SIZE, DEFENSE_INVALID, and what opening throws */
  async open(arm: ResolvedArm): Promise<OpenArm> {
    const place = this.#place(arm);
    if (this.#open?.path !== place.path) {
      this.close();
      this.#open = { path: place.path, model: await this.#load(place) };
    }
    return this.#fronted(arm, this.#open.model);
  }

  /** The arm apart from the one that is open, for comparisons; the caller disposes its classifier. */
  async openApart(arm: ResolvedArm): Promise<OpenArm> {
    return this.#fronted(arm, await this.#load(this.#place(arm)));
  }

  /** Closes what is open: the network is to be written, or the run is over. */
  close(): void {
    this.#open?.model.classifier.dispose();
    this.#open = null;
  }

  #place(arm: ResolvedArm): ModelPlace {
    const place = this.placeOf(arm);
    if (!place) throw new Error(`${arm.name} has no model`);
    return place;
  }

  async #load({ path, options }: ModelPlace): Promise<OpenedModel> {
    const model = await openModel(path, options);
    try {
      checkShape(model.classifier, this.#inputShape, path);
      return model;
    } catch (thrown) {
      model.classifier.dispose();
      throw thrown;
    }
  }

  async #fronted(arm: ResolvedArm, { classifier: network, sha256 }: OpenedModel): Promise<OpenArm> {
    const classifier = defended(network, arm.front, { random: (i) => this.#ctx.rng.stream(`defense/${i}`) });
    if (!this.#tried.has(arm.name)) await checkDefenses(classifier.front ?? [], classifier.inputShape);
    this.#tried.add(arm.name);
    return { classifier, modelHash: sha256 };
  }
}

/** Where a run puts the network of an arm that it trains. */
export const ownFolder = (owner: ResolvedArm): string => armModelFolder(owner.index, owner.name);
