import { type Conversion3d, convert3d } from "../../../../src/engine/models/convert3d.ts";
import type { tfl } from "../../../../src/engine/tf.ts";

/** The 3-D network alone, without the notes. */
export const to3d = (model: tfl.LayersModel, o: Conversion3d): tfl.LayersModel => convert3d(model, o).network;
