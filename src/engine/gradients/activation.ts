import type { tf } from "../tf.ts";
import { type Body, type Core, gradientOf, type Inputs, registerForOthers, runKernel, zero } from "./config.ts";
import { guided, guidedRectifiers } from "./guided.ts";

/*
 * Activations that tfjs composes of many passes over whole feature maps, as one kernel each with a gradient of its own. The onnxruntime
 * backend lowers them; the others compute them as written here.
 * - swish: y = x·σ(x), y′ = σ + y·(1 − σ), y″ = σ·(1 − σ)·(2 + x·(1 − 2σ)), σ = σ(x) (Ramachandran et al. 2017).
 * - bounded ReLU: y = min(max(x, 0), bound); its gradient passes where 0 < y < bound. The ReLU6 of MobileNet has the bound 6.
 */
const names = {
  swish: "Swish",
  swishGrad: "SwishGrad",
  boundedRelu: "BoundedRelu",
  boundedReluGrad: "BoundedReluGrad",
} as const;

interface Bound {
  readonly bound: number;
}
/** min(max(x, 0), bound) for x of any shape, float32. NaN stays NaN. */
export const boundedRelu = (core: Core, x: tf.Tensor, bound: number): tf.Tensor => runKernel(core, names.boundedRelu, { x }, { bound });

/** σ(1 − σ)(2 + x(1 − 2σ)) */
function swishCurvature(core: Core, x: tf.Tensor): tf.Tensor {
  const s = core.sigmoid(x);
  return core.mul(core.mul(s, core.sub(1, s)), core.add(2, core.mul(x, core.sub(1, core.mul(s, 2)))));
}

export const activationGradients = (core: Core): tf.GradConfig[] => [
  gradientOf<[tf.Tensor]>(names.swish, ["x"], (dy, [x]) => ({ x: () => runKernel(core, names.swishGrad, { dy, x }) })),
  gradientOf<[tf.Tensor, tf.Tensor]>(names.swishGrad, ["dy", "x"], (g, [dy, x]) => ({
    dy: () => runKernel(core, names.swishGrad, { dy: g, x }),
    x: () => core.mul(core.mul(g, dy), swishCurvature(core, x)),
  })),
  ...guidedRectifiers(core),
  guided(core, {
    kernelName: names.boundedRelu,
    outputsToSave: [true],
    gradFunc: (dy, saved, attributes) => ({
      x: () => runKernel(core, names.boundedReluGrad, { dy: dy as tf.Tensor, y: saved[0] as tf.Tensor }, attributes),
    }),
  }),
  gradientOf<[tf.Tensor], Bound>(names.boundedReluGrad, ["y"], (g, [y], attributes) => ({
    dy: () => runKernel(core, names.boundedReluGrad, { dy: g, y }, attributes),
    y: zero(core, y),
  })),
];

function bodies(core: Core): Readonly<Record<string, Body<Bound>>> {
  const input = (inputs: Inputs, name: string): tf.Tensor => inputs[name] as tf.Tensor;
  return {
    [names.swish]: (inputs) => core.mul(core.sigmoid(input(inputs, "x")), input(inputs, "x")),
    [names.swishGrad]: (inputs) => {
      const x = input(inputs, "x");
      const s = core.sigmoid(x);
      return core.mul(input(inputs, "dy"), core.add(s, core.mul(core.mul(x, s), core.sub(1, s))));
    },
    [names.boundedRelu]: (inputs, { bound }) => core.clipByValue(core.relu(input(inputs, "x")), 0, bound),
    [names.boundedReluGrad]: (inputs, { bound }) => {
      const y = input(inputs, "y");
      return core.mul(input(inputs, "dy"), core.cast(core.logicalAnd(core.greater(y, 0), core.less(y, bound)), "float32"));
    },
  };
}

/** The kernels for the backends that have none of their own. */
export function registerActivations(core: Core): void {
  for (const [name, body] of Object.entries(bodies(core))) registerForOthers(core, name, body);
}

type Apply = (x: tf.Tensor, alpha?: number) => tf.Tensor;

/** Makes tfjs' layers use the kernels: the activations swish and relu6, and the ReLU layer where it has a largest value. */
export function useActivations(core: Core): void {
  const prototypeOf = (className: string): object | undefined =>
    core.serialization.SerializationMap.getMap().classNameMap[className]?.[0]?.prototype;
  const swish = prototypeOf("swish");
  if (swish) {
    const scaled = Reflect.get(swish, "apply") as Apply;
    Reflect.set(swish, "apply", (x: tf.Tensor, alpha = 1) => (alpha === 1 ? runKernel(core, names.swish, { x }) : scaled(x, alpha)));
  }
  const relu6 = prototypeOf("relu6");
  if (relu6) Reflect.set(relu6, "apply", (x: tf.Tensor) => boundedRelu(core, x, 6));
  const layer = prototypeOf("ReLU");
  if (!layer) return;
  const unbounded = Reflect.get(layer, "call") as (this: object, inputs: tf.Tensor | tf.Tensor[], kwargs: object) => tf.Tensor;
  Reflect.set(layer, "call", function (this: { readonly maxValue?: number }, inputs: tf.Tensor | tf.Tensor[], kwargs: object): tf.Tensor {
    const [x] = Array.isArray(inputs) ? inputs : [inputs];
    return this.maxValue !== undefined && this.maxValue !== null && x
      ? boundedRelu(core, x, this.maxValue)
      : unbounded.call(this, inputs, kwargs);
  });
}
