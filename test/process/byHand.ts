import { readFileSync } from "node:fs";
import path from "node:path";

/**
 * A saved network run by hand in float64, in loops that anybody can check: no line of Bulwark and none of tfjs. Knows the layers of lenet and
 * papernot in 2-D and 3-D, and volumes ordered by mutual information from the slice of highest entropy.
 */
export interface HandNetwork {
  /** Scores of one image [H,W,C] in [0,1]; of a volumized network the mean of its slices' probabilities. */
  scores(image: Float32Array): number[];
}

/** Depth, height, width, channels; depth 1 in 2-D. */
type Shape = readonly [number, number, number, number];
interface Volume {
  readonly shape: Shape;
  readonly data: Float64Array;
}
interface Layer {
  readonly class_name: string;
  readonly config: Record<string, unknown>;
}
interface Weight {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

export function readByHand(directory: string, [height, width, channels]: readonly [number, number, number]): HandNetwork {
  const json = (name: string) => JSON.parse(readFileSync(path.join(directory, name), "utf8"));
  const { modelTopology, weightsManifest } = json("model.json");
  const { config } = modelTopology.model_config ?? modelTopology;
  const layers: Layer[] = config.layers ?? config;
  const weights = readWeights(readFileSync(path.join(directory, "weights.bin")), weightsManifest[0].weights);
  const [defense] = [json("model.bulwark.json").defense ?? []].flat();
  const isVolumized = defense?.id === "volumizedCurriculum" && defense.params.volumizer;
  return {
    scores(image) {
      let x: Volume = isVolumized
        ? volumeByHand(image, [height, width, channels], defense.params.patch)
        : { shape: [1, height, width, channels], data: Float64Array.from(image) };
      for (const layer of layers) x = run(layer, x, weights, isVolumized);
      const classes = x.shape[3];
      const slices = Array.from({ length: x.data.length / classes }, (_, z) => softmax(x.data.slice(z * classes, (z + 1) * classes)));
      return Array.from({ length: classes }, (_, k) => slices.reduce((sum, p) => sum + (p[k] as number), 0) / slices.length);
    },
  };
}

function readWeights(bytes: Buffer, specs: readonly { name: string; shape: number[] }[]): Map<string, Weight> {
  let at = 0;
  return new Map(
    specs.map(({ name, shape }) => {
      const data = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => {
        at += 4;
        return bytes.readFloatLE(at - 4);
      });
      return [name, { shape, data }];
    }),
  );
}

function run({ class_name: kind, config }: Layer, x: Volume, weights: ReadonlyMap<string, Weight>, isVolumized: boolean): Volume {
  const weight = (part: string): Weight => {
    const found = weights.get(`${config["name"]}/${part}`);
    if (!found) throw new Error(`no ${part} of ${config["name"]}`);
    return found;
  };
  const [Z, h, w, c] = x.shape;
  switch (kind) {
    case "InputLayer":
    case "Dropout":
      return x;
    case "Rescaling":
      return { ...x, data: x.data.map((value) => value * (config["scale"] as number) + (config["offset"] as number)) };
    case "Flatten":
      return { ...x, shape: [Z, 1, 1, h * w * c] };
    case "Reshape":
      return { ...x, shape: reshaped(config["target_shape"] as number[], isVolumized) };
    case "ZeroPadding2D":
      return padRows(x, (config["padding"] as number[][])[0] as number[]);
    case "Dense":
      return activated(dense(x, weight("kernel"), weight("bias")), config);
    case "Conv2D":
    case "Conv3D":
      return activated(convolve(x, weight("kernel"), weight("bias"), config["padding"] === "same"), config);
    case "MaxPooling2D":
    case "MaxPooling3D":
      return maxPool(x, config);
    default:
      throw new Error(`no layer ${kind} by hand`);
  }
}

/** Axes that a reshape leaves out are 1: [Z,m] is one row of slices, [Z,h,w·c] lacks its channels. */
function reshaped(target: readonly number[], isVolumized: boolean): Shape {
  if (!isVolumized) throw new Error("only volumes are reshaped");
  const [Z = 1, ...rest] = target;
  if (rest.length === 1) return [Z, 1, 1, rest[0] as number];
  if (rest.length === 2) return [1, Z, rest[0] as number, rest[1] as number]; // padded as a picture of Z rows
  return [Z, ...rest] as unknown as Shape;
}

function padRows(x: Volume, [before = 0, after = 0]: readonly number[]): Volume {
  const [Z, h, w, c] = x.shape;
  if (Z !== 1) throw new Error("rows of one picture are padded");
  const data = new Float64Array((before + h + after) * w * c);
  data.set(x.data, before * w * c);
  return { shape: [1, before + h + after, w, c], data };
}

function activated(x: Volume, config: Layer["config"]): Volume {
  if (config["activation"] === "linear") return x;
  if (config["activation"] !== "relu") throw new Error(`no activation ${config["activation"]} by hand`);
  return { ...x, data: x.data.map((value) => Math.max(0, value)) };
}

/** On the last axis, slice by slice. */
function dense(x: Volume, kernel: Weight, bias: Weight): Volume {
  const [inputs = 0, units = 0] = kernel.shape;
  const rows = x.data.length / inputs;
  const data = new Float64Array(rows * units);
  for (let r = 0; r < rows; r++)
    for (let u = 0; u < units; u++) {
      let sum = bias.data[u] as number;
      for (let i = 0; i < inputs; i++) sum += (x.data[r * inputs + i] as number) * (kernel.data[i * units + u] as number);
      data[r * units + u] = sum;
    }
  return { shape: [x.shape[0], 1, 1, units], data };
}

/** Every place of a window of `size` at stride `strides`, and how far it reaches beyond the front. */
function places(shape: Shape, size: readonly number[], strides: readonly number[], isSame: boolean) {
  const out = [0, 1, 2].map((axis) => {
    const [n, k, s] = [shape[axis] as number, size[axis] as number, strides[axis] as number];
    return isSame ? Math.ceil(n / s) : Math.floor((n - k) / s) + 1;
  });
  const front = [0, 1, 2].map((axis) => {
    const short = ((out[axis] as number) - 1) * (strides[axis] as number) + (size[axis] as number) - (shape[axis] as number);
    return isSame ? Math.floor(Math.max(0, short) / 2) : 0;
  });
  return { out: out as [number, number, number], front: front as [number, number, number] };
}

/** Calls `visit(place, window, source)` for every pixel under every window; `place` and `source` count pixels, `window` kernel cells. */
function slide(
  shape: Shape,
  size: readonly [number, number, number],
  strides: readonly [number, number, number],
  isSame: boolean,
  visit: (place: number, window: number, source: number) => void,
): readonly [number, number, number] {
  const { out, front } = places(shape, size, strides, isSame);
  let place = 0;
  for (let oz = 0; oz < out[0]; oz++)
    for (let oy = 0; oy < out[1]; oy++)
      for (let ox = 0; ox < out[2]; ox++, place++) {
        let window = 0;
        for (let kz = 0; kz < size[0]; kz++)
          for (let ky = 0; ky < size[1]; ky++)
            for (let kx = 0; kx < size[2]; kx++, window++) {
              const z = oz * strides[0] + kz - front[0];
              const y = oy * strides[1] + ky - front[1];
              const xx = ox * strides[2] + kx - front[2];
              if (z < 0 || y < 0 || xx < 0 || z >= shape[0] || y >= shape[1] || xx >= shape[2]) continue;
              visit(place, window, (z * shape[1] + y) * shape[2] + xx);
            }
      }
  return out;
}

function convolve(x: Volume, kernel: Weight, bias: Weight, isSame: boolean): Volume {
  const [kx = 1, ky = 1, kz = 1] = kernel.shape.slice(0, -2).reverse();
  const [c = 0, filters = 0] = kernel.shape.slice(-2);
  let data = new Float64Array(0);
  const count = places(x.shape, [kz, ky, kx], [1, 1, 1], isSame).out.reduce((a, b) => a * b, 1);
  data = Float64Array.from({ length: count * filters }, (_, i) => bias.data[i % filters] as number);
  const out = slide(x.shape, [kz, ky, kx], [1, 1, 1], isSame, (place, window, source) => {
    for (let i = 0; i < c; i++) {
      const value = x.data[source * c + i] as number;
      if (value === 0) continue;
      const from = (window * c + i) * filters;
      for (let f = 0; f < filters; f++)
        data[place * filters + f] = (data[place * filters + f] as number) + value * (kernel.data[from + f] as number);
    }
  });
  return { shape: [...out, filters], data };
}

function maxPool(x: Volume, config: Layer["config"]): Volume {
  const three = (value: unknown) => [1, ...(value as number[])].slice(-3) as [number, number, number];
  const [size, strides] = [three(config["pool_size"]), three(config["strides"])];
  const isSame = config["padding"] === "same";
  const c = x.shape[3];
  const count = places(x.shape, size, strides, isSame).out.reduce((a, b) => a * b, 1);
  const data = new Float64Array(count * c).fill(Number.NEGATIVE_INFINITY);
  const out = slide(x.shape, size, strides, isSame, (place, _, source) => {
    for (let i = 0; i < c; i++) data[place * c + i] = Math.max(data[place * c + i] as number, x.data[source * c + i] as number);
  });
  return { shape: [...out, c], data };
}

function softmax(logits: Float64Array): number[] {
  const largest = Math.max(...logits);
  const exponentials = Array.from(logits, (value) => Math.exp(value - largest));
  const sum = exponentials.reduce((a, b) => a + b, 0);
  return exponentials.map((value) => value / sum);
}

/** H = −Σ p·log2 p of how often each key appears, to nine digits, so that equal histograms tie whatever the order of the sum. */
function entropy(keys: readonly number[]): number {
  const counts = new Map<number, number>();
  for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1);
  const bits = [...counts.values()].reduce((sum, n) => sum - (n / keys.length) * Math.log2(n / keys.length), 0);
  return Math.round(bits * 1e9) / 1e9;
}

/** Slices of p×p in ascending order of their mutual information with the one of highest entropy; ties keep their places. */
function volumeByHand(image: Float32Array, [height, width, channels]: readonly [number, number, number], p: number): Volume {
  const slices: number[][] = [];
  for (let top = 0; top < height; top += p)
    for (let left = 0; left < width; left += p) {
      const slice: number[] = [];
      for (let y = top; y < top + p; y++)
        for (let i = (y * width + left) * channels; i < (y * width + left + p) * channels; i++) slice.push(image[i] as number);
      slices.push(slice);
    }
  const bytes = slices.map((slice) => slice.map((value) => Math.floor(255 * value + 0.5)));
  const entropies = bytes.map(entropy);
  const reference = bytes[entropies.indexOf(Math.max(...entropies))] as number[];
  const scores = bytes.map((slice) => {
    const joint = entropy(slice.map((value, i) => 256 * value + (reference[i] as number)));
    return Math.round((entropy(slice) + entropy(reference) - joint) * 1e8) / 1e8;
  });
  const order = scores.map((_, i) => i).sort((a, b) => (scores[a] as number) - (scores[b] as number) || a - b);
  return {
    shape: [slices.length, p, p, channels],
    data: Float64Array.from(order.flatMap((i) => slices[i] as number[])),
  };
}
