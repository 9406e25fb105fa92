import { BulwarkError } from "../../shared/errors.ts";
import { tfl } from "../tf.ts";
import { convertLayer } from "./conversion/convertLayer.ts";
import { createNames } from "./conversion/names.ts";
import type { Conversion } from "./conversion/slot.ts";
import { layerSeeds } from "./initialize.ts";
import { rebuildGraph } from "./rebuild.ts";

const volumeName = "volume";
/** Up to so many slices kernels as deep as the volume are affordable. */
const deep = 16;

export interface Conversion3d {
  /** Number of slices Z. */
  readonly depth: number;
  /** Height and width of a slice. */
  readonly patch: readonly [height: number, width: number];
  /** Depth of the convolution kernels; 0 means Z, as the paper has it. */
  readonly kernelDepth: number;
  /** Depthwise convolutions keep a kernel a channel (the default), or become dense ones, which have a weight for every pair of channels. */
  readonly depthwise?: "grouped" | "dense";
  /**
   * `new` (the default) draws weights by the initialisers of the 2-D layers. `inflate` takes over those of the 2-D network: a kernel goes
   * to the middle of the deeper one with zeros around it, so that at first each slice is seen as the 2-D network sees an image.
   */
  readonly weights?: "new" | "inflate";
  /** Channels of a volume behind those of the image, which `inflate` starts with weights of zero. */
  readonly addedChannels?: number;
  /** Each place of the volume has dense layers of its own; they are shared by all when left out. */
  readonly perSliceHead?: boolean;
}

/**
 * A 2-D network [H,W,C] → [k] made into one over volumes of slices, [Z,p_h,p_w,C] → [Z,k]. Convolutions get depth (depth stays Z
 * throughout), pooling and flattening stay within a slice, dense layers are shared by the slices unless `perSliceHead` is set. All its layers are
 * registered, so that it saves and loads; `notes` say where it departs from the 2-D network.
 * @throws BulwarkError MODEL_INVALID for a layer that has no counterpart or a head that has no dense layer, PARAMETER_INVALID for a slice smaller than the first kernel.
 * Source: Ghebrechristos & Alaghband 2024, section 3.3.
 */
export function convert3d(model: tfl.LayersModel, o: Conversion3d): { network: tfl.LayersModel; notes: readonly string[] } {
  const channels = model.inputs[0]?.shape[3];
  if (model.inputs.length !== 1 || model.outputs.length !== 1 || model.inputs[0]?.shape.length !== 4 || typeof channels !== "number") {
    throw new BulwarkError(
      "MODEL_INVALID",
      `${model.name} does not map one image [H,W,C] to one output, so it has no 3-D form.`,
      "Use a network with one image input and one output.",
    );
  }
  const notes: string[] = [];
  if (o.kernelDepth === 0 && o.depth > deep) {
    notes.push(
      `Kernels are as deep as the volume: convolutions have ${o.depth} times the weights and the work of the 2-D ones. "kernelDepth": 3 is what the paper's parameter counts imply.`,
    );
  }
  const conversion: Conversion = {
    ...o,
    kernelDepth: o.kernelDepth === 0 ? o.depth : o.kernelDepth,
    depthwise: o.depthwise ?? "grouped",
    weights: o.weights ?? "new",
    addedChannels: o.addedChannels ?? 0,
    perSliceHead: o.perSliceHead ?? false,
    nextSeed: layerSeeds(o.depth),
    note: (text) => {
      if (!notes.includes(text)) notes.push(text);
    },
    names: createNames([volumeName]),
    seenConvolution: false,
    seenHead: false,
  };
  try {
    return { network: converted(model, channels + conversion.addedChannels, conversion), notes };
  } catch (thrown) {
    conversion.names.dispose();
    throw thrown;
  }
}

function converted(model: tfl.LayersModel, channels: number, conversion: Conversion): tfl.LayersModel {
  const volume = tfl.input({ name: volumeName, shape: [conversion.depth, ...conversion.patch, channels] });
  const outputs = rebuildGraph(model, [volume], (use) => convertLayer({ ...use, conversion }));
  const [output] = outputs;
  if (output?.shape.length !== 3) {
    throw new BulwarkError(
      "MODEL_INVALID",
      `${model.name} does not end in a score per class, so its 3-D form would not either.`,
      "Use a network that flattens or pools before its last layer.",
    );
  }
  if (conversion.perSliceHead && !conversion.seenHead) {
    throw new BulwarkError(
      "MODEL_INVALID",
      `${model.name} has no dense layer, so its slices cannot have one each.`,
      "Set perSliceHead to false, or use a network that ends in dense layers.",
    );
  }
  return tfl.model({ name: `${model.name}_3d`, inputs: volume, outputs: output });
}
