import { invalidModel, isInput, type LayerNode, layersByName, nodesOf, type Ref, type Topology } from "./graph.ts";

/**
 * Checks that a model can be completed: tfjs goes on looking for a layer that is missing, and never ends. Nested models are checked too.
 * @throws MODEL_INVALID naming the layer: twice, not there, applied to itself, an application of it that there is not, or a circle
 */
export function checkTopology(topology: Topology, file: string): void {
  const known = layersByName(topology);
  if (known.size < topology.layers.length) {
    const twice = topology.layers.find((layer) => known.get(layer.name) !== layer);
    throw invalidModel(file, `has two layers named "${twice?.name}"`);
  }
  for (const layer of topology.layers) {
    for (const { inputs } of layer.calls) for (const ref of inputs) checkRef(ref, known, `its layer "${layer.name}" is applied to`, file);
    if (layer.model) checkTopology(layer.model, file);
  }
  for (const ref of topology.outputs) checkRef(ref, known, `its model "${topology.name}" ends in`, file);
  for (const { layer } of topology.inputs)
    if (!known.get(layer) || !isInput(known.get(layer) as LayerNode))
      throw invalidModel(file, `begins with "${layer}", which is none of its input layers`);
  checkCircles(topology, file);
}

function checkRef({ layer, node, tensor }: Ref, known: ReadonlyMap<string, LayerNode>, who: string, file: string): void {
  const found = known.get(layer);
  if (!found) throw invalidModel(file, `lacks the layer "${layer}", which ${who}`);
  if (node < 0 || node >= nodesOf(found))
    throw invalidModel(file, `applies the layer "${layer}" ${times(nodesOf(found))}, and ${who} what application ${node + 1} gives`);
  const outputs = found.model ? found.model.outputs.length : Number.POSITIVE_INFINITY;
  if (tensor < 0 || tensor >= outputs) throw invalidModel(file, `has no output ${tensor} of the layer "${layer}", which ${who}`);
}

const times = (count: number): string => (count === 0 ? "nowhere" : count === 1 ? "once" : `${count} times`);

interface Step {
  readonly layer: LayerNode;
  readonly index: number;
  readonly call: LayerNode["calls"][number];
}

function checkCircles(topology: Topology, file: string): void {
  const done = new Set(topology.layers.filter(isInput).map(({ name }) => keyOf(name, 0)));
  const steps = topology.layers.flatMap((layer) => layer.calls.map((call, index): Step => ({ layer, index, call })));
  const waiting = new Map<string, Step[]>();
  const missing = new Map<Step, number>();
  const ready: Step[] = [];
  for (const step of steps) {
    const needed = new Set(step.call.inputs.map(({ layer, node }) => keyOf(layer, node)).filter((key) => !done.has(key)));
    missing.set(step, needed.size);
    for (const key of needed) {
      const others = waiting.get(key);
      if (others) others.push(step);
      else waiting.set(key, [step]);
    }
    if (needed.size === 0) ready.push(step);
  }
  let left = steps.length;
  for (let step = ready.pop(); step; step = ready.pop()) {
    left--;
    for (const next of waiting.get(keyOf(step.layer.name, step.index)) ?? []) {
      const count = (missing.get(next) ?? 0) - 1;
      missing.set(next, count);
      if (count === 0) ready.push(next);
    }
  }
  if (left === 0) return;
  const stuck = steps.filter((step) => (missing.get(step) ?? 0) > 0);
  throw invalidModel(file, `goes in a circle through its layer "${circleFrom(stuck)}"`);
}

/** Going back from a layer that waits, over layers that wait: the first that is met again lies on the circle. */
function circleFrom(stuck: readonly Step[]): string {
  const byKey = new Map(stuck.map((step) => [keyOf(step.layer.name, step.index), step]));
  const met = new Set<Step>();
  let step = stuck[0];
  while (step && !met.has(step)) {
    met.add(step);
    step = step.call.inputs.map(({ layer, node }) => byKey.get(keyOf(layer, node))).find((before) => before !== undefined);
  }
  return step?.layer.name ?? "";
}

const keyOf = (layer: string, node: number): string => `${node}:${layer}`;
