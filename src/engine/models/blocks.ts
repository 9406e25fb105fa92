import { BulwarkError } from "../../shared/errors.ts";
import { choice, num } from "../define/index.ts";
import { tfl } from "../tf.ts";
import type { LayerInitializers } from "./initialize.ts";

/** Applies layers one after another. */
export const chain = (x: tfl.SymbolicTensor | tfl.SymbolicTensor[], ...layers: readonly tfl.layers.Layer[]): tfl.SymbolicTensor =>
  layers.reduce((y, layer) => layer.apply(y) as tfl.SymbolicTensor, x) as tfl.SymbolicTensor;

/** Pixels from [0,1] to [−1,1], as part of the network. */
export const centered = (): tfl.layers.Layer => tfl.layers.rescaling({ name: "center", scale: 2, offset: -1 });

/** @throws BulwarkError IMAGE_SIZE where a side of the image is below `smallest`. */
export function requireSize(id: string, [height, width]: readonly [number, number, number], smallest: number, fix: string): void {
  if (Math.min(height, width) >= smallest) return;
  throw new BulwarkError("IMAGE_SIZE", `${id} needs images of at least ${smallest}×${smallest}, not ${height}×${width}.`, fix);
}

/** Parameter of the large networks that makes them affordable on small images. */
export const widthParam = () => num(1, "Width multiplier of every layer; 1 is the published network.", { min: 0.01, max: 1, unit: "of 1" });
export const narrowed = (channels: number, width: number): number => Math.max(1, Math.round(channels * width));

export interface ConvNorm {
  readonly name: string;
  readonly filters: number;
  readonly kernelSize: number | [height: number, width: number];
  readonly strides?: number;
  readonly padding?: "same" | "valid";
  readonly useBias?: boolean;
  readonly epsilon?: number;
  /** After the normalisation; none when left out. */
  readonly activation?: "relu" | "swish";
}

export const batchNorm = (name: string, epsilon = 1e-3): tfl.layers.Layer =>
  tfl.layers.batchNormalization({ name, momentum: 0.9, epsilon });

/** A convolution, batch normalisation and an activation. */
export function convNorm(x: tfl.SymbolicTensor, initial: LayerInitializers, o: ConvNorm): tfl.SymbolicTensor {
  const conv = tfl.layers.conv2d({
    name: o.name,
    filters: o.filters,
    kernelSize: o.kernelSize,
    strides: o.strides ?? 1,
    padding: o.padding ?? "same",
    useBias: o.useBias ?? false,
    kernelInitializer: initial.he(),
  });
  const after = o.activation ? [tfl.layers.activation({ name: `${o.name}_${o.activation}`, activation: o.activation })] : [];
  return chain(x, conv, batchNorm(`${o.name}_norm`, o.epsilon), ...after);
}

/** Parameter of the large networks: what stands behind their convolutions. */
export const headParam = () =>
  choice(
    ["published", "volumized"],
    "published",
    "Layers behind the convolutions: those of the published network, or the two hidden layers that the authors of the volumizer train.",
  );
export type Head = "published" | "volumized";

/** Average pool and scores. */
export function scores(
  x: tfl.SymbolicTensor,
  initial: LayerInitializers,
  o: { classes: number; head: Head; seed: number; dropout?: number },
) {
  const drop = (name: string, rate: number) => (rate > 0 ? [tfl.layers.dropout({ name, rate, seed: o.seed })] : []);
  const dense = (name: string, units: number) => tfl.layers.dense({ name, units, kernelInitializer: initial.he() });
  const hidden = (name: string, units: number) => [
    dense(name, units),
    batchNorm(`${name}_norm`),
    tfl.layers.activation({ name: `${name}_swish`, activation: "swish" }),
  ];
  const published = drop("dropout", o.dropout ?? 0);
  const volumized = () => [
    batchNorm("head_norm"),
    ...drop("head_dropout1", 0.7),
    ...hidden("head1", 512),
    ...drop("head_dropout2", 0.5),
    ...hidden("head2", 128),
  ];
  const before = o.head === "volumized" ? volumized() : published;
  return chain(x, tfl.layers.globalAveragePooling2d({ name: "average" }), ...before, dense("logits", o.classes));
}
