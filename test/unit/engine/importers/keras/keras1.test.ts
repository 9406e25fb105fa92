import { beforeAll, describe, it } from "vitest";
import { useBackend } from "../../../../../src/engine/backends/index.ts";
import { tf, tfl } from "../../../../../src/engine/tf.ts";
import { loadedPredictions, predictions, randomImages, randomWeights } from "../modelFiles.ts";
import { expectClose, kerasFiles } from "./files.ts";

const files = kerasFiles();
beforeAll(() => useBackend("cpu"));

describe("a model of Keras 1", () => {
  /** conv – relu – flatten – dense, written by Keras 1 on Theano with channels first: kernels [out,in,kh,kw], turned by 180°. */
  async function byKeras1(backend: "theano" | "tensorflow"): Promise<{ file: string; expected: tfl.LayersModel }> {
    const expected = randomWeights(
      tfl.sequential({
        layers: [
          tfl.layers.conv2d({ inputShape: [5, 5, 3], filters: 4, kernelSize: [2, 3], activation: "relu", name: "c" }),
          tfl.layers.permute({ dims: [3, 1, 2], name: "first" }),
          tfl.layers.flatten({ name: "flat" }),
          tfl.layers.dense({ units: 3, name: "d" }),
        ],
      }),
    );
    const [kernel, bias, weights, offset] = expected.getWeights() as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];
    const turned = backend === "theano" ? tf.reverse(kernel, [0, 1]) : kernel;
    const numbers = (tensor: tf.Tensor) => ({ shape: tensor.shape, values: tensor.dataSync() });
    const layers = [
      {
        class_name: "Convolution2D",
        config: {
          name: "c",
          nb_filter: 4,
          nb_row: 2,
          nb_col: 3,
          border_mode: "valid",
          subsample: [1, 1],
          dim_ordering: "th",
          activation: "relu",
          bias: true,
          init: "glorot_uniform",
          W_regularizer: null,
          b_regularizer: null,
          activity_regularizer: null,
          W_constraint: null,
          b_constraint: null,
          trainable: true,
          batch_input_shape: [null, 3, 5, 5],
          input_dtype: "float32",
        },
      },
      { class_name: "Dropout", config: { name: "drop", p: 0.5, trainable: true } },
      { class_name: "Flatten", config: { name: "flat", trainable: true } },
      {
        class_name: "Dense",
        config: {
          name: "d",
          output_dim: 3,
          input_dim: null,
          init: "uniform",
          activation: "linear",
          bias: true,
          W_regularizer: null,
          trainable: true,
        },
      },
    ];
    const file = await files.writeHdf5({
      attributes: {
        "/": { model_config: JSON.stringify({ class_name: "Sequential", config: layers }), keras_version: "1.2.2", backend },
        "/model_weights": { layer_names: ["c", "drop", "flat", "d"] },
        "/model_weights/c": { weight_names: ["c_W", "c_b"] },
        "/model_weights/d": { weight_names: ["d_W", "d_b"] },
        "/model_weights/drop": {},
        "/model_weights/flat": {},
      },
      datasets: {
        "/model_weights/c/c_W": numbers(tf.transpose(turned, [3, 2, 0, 1])),
        "/model_weights/c/c_b": numbers(bias),
        "/model_weights/d/d_W": numbers(weights),
        "/model_weights/d/d_b": numbers(offset),
      },
    });
    return { file, expected };
  }

  it.each(["theano", "tensorflow"] as const)("on %s, with its channels first", async (backend) => {
    const { file, expected } = await byKeras1(backend);
    const x = randomImages([2, 5, 5, 3]);
    expectClose(await loadedPredictions(file, x), predictions(expected, x));
  });
});
