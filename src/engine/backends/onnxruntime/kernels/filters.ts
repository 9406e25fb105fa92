import type { Graph, Value } from "../graph.ts";

/*
 * Filters [kh,kw,Cin,Cout] that follow from weights: scaled by the factor of a batch normalisation, turned by 180°, inputs and outputs
 * exchanged. Each remembers what it was made of, so that blocks are laid out from the weights themselves: onnxruntime keeps the result of
 * every step on constants until it has folded all of them, and a network's weights would lie in memory once for each step.
 */
const from = { scaled: "scaled filter of", turned: "turned filter of", exchanged: "exchanged filter of" } as const;
const factorOf = "factor of filter";

/** w times a factor for each output; `outputs` is the factor's shape as the last axes of the filter. */
export function scaledFilter(g: Graph, w: Value, factor: Value, outputs = w.shape.slice(-1)): Value {
  const vector = g.reshape(factor, outputs);
  const scaled = g.binary("Mul", w, vector);
  if (outputs.length === 1) {
    g.note(from.scaled, scaled, w);
    g.note(factorOf, scaled, vector);
  }
  return scaled;
}

export function turnedFilter(g: Graph, w: Value): Value {
  const [kh = 1, kw = 1] = w.shape;
  const turned = g.slice(w, [kh - 1, kw - 1, 0, 0], w.shape, [-1, -1, 1, 1]);
  return g.note(from.turned, turned, w) && turned;
}

export function exchangedFilter(g: Graph, w: Value): Value {
  const exchanged = g.transpose(w, [0, 1, 3, 2]);
  return g.note(from.exchanged, exchanged, w) && exchanged;
}

interface Origin {
  readonly weights: Value;
  readonly isTurned: boolean;
  readonly isExchanged: boolean;
  /** Vectors along the filter's inputs and outputs. */
  readonly factors: readonly { readonly vector: Value; readonly isOfInputs: boolean }[];
}

function originOf(g: Graph, filter: Value): Origin {
  const factors: { vector: Value; isOfInputs: boolean }[] = [];
  let [weights, isTurned, isExchanged] = [filter, false, false];
  for (;;) {
    const [scaled, turned, exchanged] = [from.scaled, from.turned, from.exchanged].map((what) => g.noted(what, weights));
    const vector = g.noted(factorOf, weights);
    const earlier = scaled ?? turned ?? exchanged;
    if (!earlier) return { weights, isTurned, isExchanged, factors };
    if (scaled && vector) factors.push({ vector, isOfInputs: isExchanged });
    if (turned) isTurned = !isTurned;
    if (exchanged) isExchanged = !isExchanged;
    weights = earlier;
  }
}

/**
 * [kh,kw,Cin,Cout] as a blocked convolution wants it: [Cout/b,Cin/b,kh,kw,b,b] under the shape [Cout,Cin,kh,kw]. Fewer input channels than
 * fill a block are read as they are: only the outputs are blocked then.
 */
export function blockedFilter(g: Graph, w: Value): Value {
  const [kh = 1, kw = 1, inputs = 1, outputs = 1] = w.shape;
  const { weights, isTurned, isExchanged, factors } = originOf(g, w);
  const areInputsBlocked = inputs >= g.block;
  const parts = (size: number, isBlocked: boolean): number[] => (isBlocked ? [size / g.block, g.block] : [size]);
  const [inputParts, outputParts] = [parts(inputs, areInputsBlocked), parts(outputs, true)];
  const [first, second] = isExchanged ? [outputParts, inputParts] : [inputParts, outputParts];
  const places = [first.map((_, i) => 2 + i), second.map((_, i) => 2 + first.length + i)];
  const [outputPlaces = [], inputPlaces = []] = isExchanged ? places : places.toReversed();
  const order = [outputPlaces[0], inputPlaces[0], 0, 1, inputPlaces[1], outputPlaces[1]].filter((place) => place !== undefined);
  let filter = g.transpose(g.reshape(weights, [kh, kw, ...first, ...second]), order);
  const inner = areInputsBlocked ? [1] : [];
  if (isTurned) {
    const ends = [0, 0, kh - 1, kw - 1, ...inner.map(() => 0), 0];
    filter = g.slice(filter, ends, filter.shape, [1, 1, -1, -1, ...inner, 1]);
  }
  for (const { vector, isOfInputs } of factors) {
    const ofInputs = areInputsBlocked ? [1, inputs / g.block, 1, 1, g.block, 1] : [1, inputs, 1, 1, 1];
    filter = g.binary("Mul", filter, g.reshape(vector, isOfInputs ? ofInputs : [outputs / g.block, 1, 1, 1, ...inner, g.block]));
  }
  return g.reshape(filter, [outputs, inputs, kh, kw]);
}
