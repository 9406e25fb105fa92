import type { RunEventBody } from "../../shared/events.ts";
import { armModelFolder } from "../../shared/runs.ts";
import { batchSizeOf, batchText, type Room, roomOf, shortageText, sizesFor, withBatchSizes } from "../classifier/batchSizes.ts";
import { checkDefenses } from "../classifier/checkDefenses.ts";
import type { BatchSizes, Classifier } from "../classifier/classifier.ts";
import { defended } from "../classifier/defended.ts";
import { demandOf } from "../classifier/demand.ts";
import { attackSurface } from "../classifier/surface.ts";
import type { RunContext } from "../context.ts";
import type { ModelFacts } from "../define/index.ts";
import { checkShape } from "../evaluation/dataset.ts";
import { type OpenedModel, type OpenOptions, openModel } from "../session/openModel.ts";
import type { ResolvedArm } from "./arms.ts";
import type { BatchRecord } from "./batchRecord.ts";

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

/** What the networks of a run are opened with. */
export interface NetworkSources {
  /** Where the network of an arm lies; null where there is none. */
  readonly placeOf: (arm: ResolvedArm) => ModelPlace | null;
  readonly inputShape: ModelFacts["inputShape"];
  readonly batches: BatchRecord;
  /** Is open when the run begins: it need not be loaded, nor its graphs be compiled, again. */
  readonly opened?: Handover | undefined;
  emit(event: RunEventBody): void;
}

/** The networks of a run, one open at a time: pieces of one network follow one another. */
export class OpenNetworks {
  readonly #o: NetworkSources;
  readonly #ctx: RunContext;
  readonly #settled = new Map<string, { readonly sizes: BatchSizes; readonly room: Room }>();
  #open: { readonly path: string; readonly model: OpenedModel } | null = null;

  constructor(o: NetworkSources, ctx: RunContext) {
    this.#o = o;
    this.#ctx = ctx;
    const model = o.opened?.take();
    if (o.opened && model) this.#open = { path: o.opened.path, model };
  }

  /** Where the network of an arm lies; null where there is none. */
  placeOf = (arm: ResolvedArm): ModelPlace | null => this.#o.placeOf(arm);

  /** @throws IMAGE_SIZE, DEFENSE_INVALID, and what opening throws */
  async open(arm: ResolvedArm): Promise<OpenArm> {
    const place = this.#place(arm);
    if (this.#open?.path !== place.path) {
      this.close();
      this.#open = { path: place.path, model: await this.#load(place) };
    }
    return this.#fronted(arm, this.#open.model);
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
      checkShape(model.classifier, this.#o.inputShape, path);
      return model;
    } catch (thrown) {
      model.classifier.dispose();
      throw thrown;
    }
  }

  async #fronted(arm: ResolvedArm, { classifier: network, sha256 }: OpenedModel): Promise<OpenArm> {
    const classifier = defended(network, arm.front, { random: (i) => this.#ctx.rng.stream(`defense/${i}`) });
    const settled = this.#settled.get(arm.name) ?? (await this.#settle(arm, classifier));
    return { classifier: withBatchSizes(classifier, settled.sizes, settled.room), modelHash: sha256 };
  }

  /** When an arm is first opened: what stands in front is tried, and its batch sizes are settled and said. */
  async #settle({ name }: ResolvedArm, classifier: Classifier) {
    await checkDefenses(classifier.front ?? [], classifier.inputShape);
    const room = roomOf(classifier);
    const surface = attackSurface(classifier, "adaptive").model;
    const fitting = sizesFor(classifier, surface, room);
    const sizes = await this.#o.batches.sizesOf(name, batchSizeOf(classifier.inputShape), () => fitting);
    const atOnce = { forward: Math.min(sizes.forward, fitting.forward), gradient: Math.min(sizes.gradient, fitting.gradient) };
    const demand = demandOf(surface);
    this.#o.emit({ kind: "batch", arm: name, ...sizes, message: `${name}: ${batchText(atOnce, demand, room)}` });
    const shortage = shortageText(demand, room);
    if (shortage) this.#o.emit({ kind: "warning", message: `${name}: ${shortage}` });
    const settled = { sizes, room };
    this.#settled.set(name, settled);
    return settled;
  }
}

/** Where a run puts the network of an arm that it trains. */
export const ownFolder = (owner: ResolvedArm): string => armModelFolder(owner.index, owner.name);
