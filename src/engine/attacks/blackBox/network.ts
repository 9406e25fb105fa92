import { heInitializers } from "../../models/initialize.ts";
import { tfl } from "../../tf.ts";

/** Side below which the second convolution keeps its size: 5×5 would not fit. */
const smallest = 12;

/**
 * LeNet-5 with rectifiers: conv6@5×5 – pool – conv16@5×5 – pool – FC120 – FC84 – FC, 61,706 parameters at 28×28×1 (LeCun et al. 1998). The
 * attacker knows nothing of the attacked network, so its layers do not depend on it.
 */
export function substituteNetwork(
  [height, width, channels]: readonly [number, number, number],
  classes: number,
  seed: number,
): tfl.LayersModel {
  const he = heInitializers({ seed });
  const conv = (name: string, filters: number, padding: "same" | "valid") =>
    tfl.layers.conv2d({ name, filters, kernelSize: 5, padding, activation: "relu", kernelInitializer: he() });
  const dense = (name: string, units: number) => tfl.layers.dense({ name, units, activation: "relu", kernelInitializer: he() });
  const pool = (name: string) => tfl.layers.maxPooling2d({ name, poolSize: 2, strides: 2, padding: "same" });
  return tfl.sequential({
    name: "substitute",
    layers: [
      tfl.layers.inputLayer({ name: "image", inputShape: [height, width, channels] }),
      conv("conv1", 6, "same"),
      pool("pool1"),
      conv("conv2", 16, Math.min(height, width) < smallest ? "same" : "valid"),
      pool("pool2"),
      tfl.layers.flatten({ name: "flatten" }),
      dense("fc1", 120),
      dense("fc2", 84),
      tfl.layers.dense({ name: "logits", units: classes, kernelInitializer: he() }),
    ],
  });
}
