import type { tf } from "../tf.ts";
import { type Core, gradientOf, zero } from "./config.ts";

type Pair = readonly [tf.Tensor, tf.Tensor];

/** A resize's gradient is its transpose, so the gradient of that is the resize again; of `images` it uses the shape alone. */
const resize = (core: Core, forward: string): tf.GradConfig =>
  gradientOf<Pair, tf.ResizeBilinearGradAttrs>(`${forward}Grad`, ["dy", "images"], (g, [dy, images], { alignCorners }) => ({
    dy: () => core.engine().runKernel(forward, { images: g }, { alignCorners, halfPixelCenters: false, size: dy.shape.slice(1, 3) }),
    images: zero(core, images),
  }));

/** What was picked goes back to where it came from: the same slice of the places' numbers says where. */
const stridedSlice = (core: Core): tf.GradConfig =>
  gradientOf<readonly [tf.Tensor], tf.NamedAttrMap>("StridedSlice", ["x"], (dy, [x], attrs) => ({
    x: () => {
      const places = core.reshape(core.range(0, x.size, 1, "int32"), x.shape);
      const picked = core.engine().runKernel<tf.Tensor>("StridedSlice", { x: places }, attrs);
      const sums = core.unsortedSegmentSum(core.reshape(dy, [-1]), core.reshape(picked, [-1]), x.size);
      return core.reshape(sums, x.shape);
    },
  }));

/** [n, h·b, w·b, c] → [n, h, w, b·b·c], back to where each pixel came from. */
const depthToSpace = (core: Core): tf.GradConfig =>
  gradientOf<readonly [tf.Tensor], tf.DepthToSpaceAttrs>("DepthToSpace", ["x"], (dy, [x], { blockSize: b }) => ({
    x: () => {
      const [n = 1, h = 1, w = 1, c = 1] = x.shape;
      return core.reshape(core.transpose(core.reshape(dy, [n, h, b, w, b, c / (b * b)]), [0, 1, 3, 2, 4, 5]), x.shape);
    },
  }));

export const arrangementGradients = (core: Core): tf.GradConfig[] => [
  resize(core, "ResizeBilinear"),
  resize(core, "ResizeNearestNeighbor"),
  stridedSlice(core),
  depthToSpace(core),
  gradientOf<Pair>("GatherNd", ["params", "indices"], (dy, [params, indices]) => ({
    params: () => core.scatterND(indices, dy, params.shape),
    indices: zero(core, indices),
  })),
  gradientOf<Pair>("ScatterNd", ["indices", "updates"], (dy, [indices]) => ({
    indices: zero(core, indices),
    updates: () => core.gatherND(dy, indices),
  })),
];
