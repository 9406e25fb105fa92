import type { InputContract } from "../../shared/contract.ts";
import { BulwarkError } from "../../shared/errors.ts";
import type { TrainingPlan } from "../define/index.ts";
import { type Images, type Logits, tf, type tfl } from "../tf.ts";
import { unvolumize, volumize } from "../volumizer/volumize.ts";
import { activationOf } from "./activation.ts";
import { type LayerInfo, type LayerPass, type LayerRun, type LayerSampling, type LayerSource, layerNamed } from "./classifier.ts";
import { evaluate, type Graph, type GraphRun, graphOf, type Unit, type Values } from "./graph.ts";
import { networkInput } from "./input.ts";
import type { UnitSampling } from "./unitSampling.ts";

interface SourceOptions {
  readonly network: tfl.LayersModel;
  readonly contract: InputContract;
  readonly plan: TrainingPlan | undefined;
  /** Network output → logits [b,k]. */
  readonly logitsOf: (output: tf.Tensor) => Logits;
  /** Counts a forward pass over so many images. */
  readonly count: (images: number) => void;
  /** How a pass is made; in inference mode when left out. */
  readonly mode?: () => GraphRun;
}

/** A pass with the output of the network itself: of one that judges slices, the scores of each. */
export type NetworkPass = LayerPass & { readonly output: tf.Tensor };
/** The layers of a layers model. `pass` is `run` with the network's output. */
export type NetworkLayers = LayerSource & { pass(x: Images | (() => Images), o?: LayerRun): NetworkPass };

/** The layers of a layers model, nested ones included. */
export function layerSourceOf(o: SourceOptions): NetworkLayers {
  const graph = graphOf(o.network);
  const channelsFirst = o.contract.input.layout === "nchw" && !o.plan?.volumizer;
  const all = graph.units.map((unit) => infoOf(unit, graph, { channelsFirst, volumized: o.plan?.volumizer !== undefined }));
  const byUnit = new Map(graph.units.map((unit, i) => [unit, all[i] as LayerInfo]));
  const maps = featureMaps(graph);
  const isMap = (info: LayerInfo): boolean => maps.has(byInfo.get(info) as Unit);
  const byInfo = new Map(graph.units.map((unit, i) => [all[i] as LayerInfo, unit]));
  const unitOf = (name: string): Unit => {
    const found = layerNamed(all, name);
    return (found && byInfo.get(found)) ?? unknown(name, all);
  };
  const isMoved = (value: tf.Tensor): boolean => channelsFirst && value.rank === 4;
  const channelsLast = (value: tf.Tensor): tf.Tensor => (isMoved(value) ? tf.transpose(value, [0, 2, 3, 1]) : value);
  const networkOrder = (value: tf.Tensor): tf.Tensor => (isMoved(value) ? tf.transpose(value, [0, 3, 1, 2]) : value);

  const samplingOf = ({ rows, change }: LayerSampling): UnitSampling => ({
    rows,
    change: new Map([...change].map(([name, of]) => [unitOf(name), (value) => networkOrder(of(channelsLast(value)))])),
  });
  const pass = (x: Images | (() => Images), { take = [], from, activation, sampling }: LayerRun = {}): NetworkPass => {
    if (sampling) o.count(sampling.rows.length);
    const [output, logits, ...values] = tf.tidy((): tf.Tensor[] => {
      const known: Values = new Map();
      const mode: GraphRun = {
        ...o.mode?.(),
        input() {
          const images = typeof x === "function" ? x() : x;
          if (!from && !sampling) o.count(images.shape[0]);
          return networkInput(images, o.contract, o.plan);
        },
        ...(from ? { from: { unit: unitOf(from.layer), value: networkOrder(from.value) } } : {}),
        ...(sampling ? { sampling: samplingOf(sampling) } : {}),
        activation: activation && ((unit: Unit, before: tf.Tensor) => activation(byUnit.get(unit) as LayerInfo, before)),
      };
      const scores = evaluate(graph.output, known, mode);
      return [scores, o.logitsOf(scores).clone(), ...take.map((name) => channelsLast(evaluate(unitOf(name), known, mode)).clone())];
    });
    return { output: output as tf.Tensor, logits: logits as Logits, taken: new Map(take.map((name, i) => [name, values[i] as tf.Tensor])) };
  };
  return {
    all,
    defaultLayer: (all.findLast((info) => isPlane(info) && isMap(info)) ?? all.findLast(isPlane) ?? all.findLast(({ spatial }) => spatial))
      ?.name,
    pass,
    run(x, of) {
      const { output, ...asked } = pass(x, of);
      output.dispose();
      return asked;
    },
    kernel(name) {
      const kernel = unitOf(name).layer.weights.find(({ originalName }) => /kernel/i.test(originalName));
      if (!kernel) return undefined;
      const { shape } = kernel.read();
      return { shape, values: async () => Float32Array.from(await kernel.read().data()) };
    },
    toImage: (map, x) => tf.tidy(() => mapToImage(map, x, o.plan)),
    inPlace: (map, x) => tf.tidy(() => slicesInPlace(map, x, o.plan)),
  };
}

/**
 * Spatial is what has a grid of at least two cells, a single row of them too; of a volumized network in each of the slices, so that layers which only rearrange
 * slices for the next one are none.
 */
function infoOf({ name, layer, shape }: Unit, { input }: Graph, o: { channelsFirst: boolean; volumized: boolean }): LayerInfo {
  const type = layer.getClassName();
  const sides = o.channelsFirst && shape.length === 4 ? [shape[0] ?? null, ...shape.slice(2), shape[1] ?? null] : shape;
  const [h, w] = sides.slice(-3, -1);
  const isGrid = shape.length === (o.volumized ? 5 : 4) && (!o.volumized || shape[1] === input.shape[1]);
  const spatial = isGrid && type !== "InputLayer" && (h ?? 0) >= 1 && (w ?? 0) >= 1 && (h ?? 0) * (w ?? 0) >= 2;
  return { name, type, shape: sides, spatial, activation: activationOf(layer) };
}

const isWindowed = (type: string): boolean => /Conv[23]D|Pooling[23]D|PoolPad/.test(type);
const isRearranging = (type: string): boolean => /Reshape|Permute/.test(type);

/**
 * Units whose grid corresponds to the picture: outputs of convolutions and pooling, and of layers after them that keep the axes. The heads of an
 * attention layer form a grid too, but not one of the picture.
 */
function featureMaps({ units }: Graph): Set<Unit> {
  const found = new Set<Unit>();
  for (const unit of units) {
    const type = unit.layer.getClassName();
    const follows = !isRearranging(type) && [...unit.inputs, ...(unit.inner ? [unit.inner] : [])].some((one) => found.has(one));
    if (isWindowed(type) || follows) found.add(unit);
  }
  return found;
}

/** A map of at least 2×2 cells shows more than a single row. */
const isPlane = ({ spatial, shape }: LayerInfo): boolean => spatial && shape.slice(-3, -1).every((side) => (side ?? 0) >= 2);

function unknown(name: string, all: readonly LayerInfo[]): never {
  throw new BulwarkError(
    "PARAMETER_INVALID",
    `The model has no layer "${name}".`,
    `Choose one of ${all.map((layer) => layer.name).join(", ")}.`,
  );
}

function mapToImage(map: tf.Tensor3D, x: Images, plan: TrainingPlan | undefined): tf.Tensor3D {
  const [b, height, width] = x.shape;
  const cells = tf.expandDims(map, 3) as tf.Tensor4D;
  if (!plan?.volumizer) return resize(cells, height, width);
  const { volume, perms } = volumize(x, plan.volumizer);
  const [, depth, sliceHeight, sliceWidth] = volume.shape;
  const slices = tf.reshape(resize(cells, sliceHeight, sliceWidth), [b, depth, sliceHeight, sliceWidth, 1]) as tf.Tensor5D;
  return tf.reshape(unvolumize(slices, perms, height, width, plan.volumizer.stride), [b, height, width]) as tf.Tensor3D;
}

/** A product with permutations, whose gradient every backend has. */
function slicesInPlace(map: tf.Tensor3D, x: Images, plan: TrainingPlan | undefined): tf.Tensor3D {
  if (!plan?.volumizer || plan.volumizer.order === "raster") return map.clone();
  const { perms } = volumize(x, plan.volumizer);
  const b = x.shape[0];
  const depth = perms.length / b;
  const places = tf.cast(tf.oneHot(tf.tensor2d(perms, [b, depth], "int32"), depth), "float32"); // [b, in the volume, in the image]
  const slices = tf.reshape(map, [b, depth, -1]) as tf.Tensor3D;
  return tf.reshape(tf.matMul(places, slices, true), map.shape);
}

/** Bilinear with half-pixel centres, [n,h,w,1] → [n,H,W]. */
const resize = (cells: tf.Tensor4D, height: number, width: number): tf.Tensor3D =>
  tf.reshape(tf.image.resizeBilinear(cells, [height, width], false, true), [cells.shape[0], height, width]);
