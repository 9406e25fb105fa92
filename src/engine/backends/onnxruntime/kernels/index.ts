import { activations } from "./activation.ts";
import { arrange } from "./arrange.ts";
import { batchNorm } from "./batchNorm.ts";
import { binary } from "./binary.ts";
import { convolution2d } from "./conv2d.ts";
import { convolution3d } from "./conv3d.ts";
import { create } from "./create.ts";
import { depthwise } from "./depthwise.ts";
import { gathering } from "./gather.ts";
import { grouped } from "./grouped.ts";
import { hostKernels } from "./host.ts";
import type { Kernels } from "./kernel.ts";
import { matrix } from "./matmul.ts";
import { normalisation } from "./normalise.ts";
import { pooling } from "./pool.ts";
import { reduce } from "./reduce.ts";
import { resize } from "./resize.ts";
import { shape } from "./shape.ts";
import { unary } from "./unary.ts";

/** Every kernel by its tfjs name: lowered, or computed on the host. */
export const kernels: Kernels = {
  ...activations,
  ...arrange,
  ...batchNorm,
  ...binary,
  ...convolution2d,
  ...convolution3d,
  ...create,
  ...depthwise,
  ...gathering,
  ...grouped,
  ...hostKernels,
  ...matrix,
  ...normalisation,
  ...pooling,
  ...reduce,
  ...resize,
  ...shape,
  ...unary,
};
