import { type Call, type Config, isInput, type LayerNode, layersByName, type Ref, type Topology } from "./graph.ts";

/** A flat topology as the `model_config` that tfjs reads. */
export function toModelConfig(topology: Topology): Config {
  if (topology.kind === "Sequential") return { class_name: "Sequential", config: { name: topology.name, layers: chained(topology) } };
  const { layers, outputs, inputs } = inOrder(topology);
  return {
    class_name: "Model",
    config: {
      name: topology.name,
      layers: layers.map(({ name, className, config, calls }) => ({
        name,
        class_name: className,
        config,
        inbound_nodes: calls.map(({ inputs: refs, kwargs }) => refs.map(({ layer, node, tensor }) => [layer, node, tensor, kwargs])),
      })),
      input_layers: inputs.map(listed),
      output_layers: outputs.map(listed),
    },
  };
}

const listed = ({ layer, node, tensor }: Ref): unknown[] => [layer, node, tensor];

function chained({ layers: [input, first, ...others] }: Topology): Config[] {
  const plain = ({ className, config }: LayerNode): Config => ({ class_name: className, config });
  if (!input || !first || !input.isImplied) return [input, first, ...others].filter((layer) => layer !== undefined).map(plain);
  const { batch_input_shape, dtype } = input.config;
  return [plain({ ...first, config: { ...first.config, batch_input_shape, dtype } }), ...others.map(plain)];
}

/**
 * Layers from the inputs on. tfjs numbers the applications of a layer as it comes to them, and a file in the order in which the program
 * made them; where the two differ, tfjs would silently connect the wrong ones. They are therefore numbered as tfjs will.
 */
function inOrder(topology: Topology): Topology {
  const known = layersByName(topology);
  const layers = sorted(topology, known);
  const places = new Map(layers.map(({ name }, i) => [name, i]));
  const passes = passCounter(known, places);
  const numbers = new Map<string, readonly number[]>();
  for (const { name, calls } of layers) {
    const order = calls.map((_, i) => i).sort((a, b) => passes(name, a) - passes(name, b) || a - b);
    numbers.set(
      name,
      calls.map((_, i) => order.indexOf(i)),
    );
  }
  const moved = (ref: Ref): Ref => ({ ...ref, node: numbers.get(ref.layer)?.[ref.node] ?? ref.node });
  const renumbered = layers.map((layer) => {
    const own = numbers.get(layer.name) ?? [];
    const calls: Call[] = [];
    layer.calls.forEach((call, i) => {
      calls[own[i] ?? i] = { ...call, inputs: call.inputs.map(moved) };
    });
    return { ...layer, calls };
  });
  return { ...topology, layers: renumbered, outputs: topology.outputs.map(moved) };
}

/** By the first application of each layer; the inputs come first. */
function sorted({ layers }: Topology, known: ReadonlyMap<string, LayerNode>): LayerNode[] {
  const done = new Set<LayerNode>();
  const open = new Set<LayerNode>();
  for (const start of layers) {
    const stack = [start];
    for (let layer = stack.at(-1); layer; layer = stack.at(-1)) {
      open.add(layer);
      const first = isInput(layer) ? [] : (layer.calls[0]?.inputs ?? []);
      const next = first.map((ref) => known.get(ref.layer)).find((before) => before && !done.has(before) && !open.has(before));
      if (next) stack.push(next);
      else {
        done.add(layer);
        stack.pop();
      }
    }
  }
  return [...done];
}

/** In which pass over the list of layers tfjs comes to an application: it goes over the list until nothing is left. */
function passCounter(known: ReadonlyMap<string, LayerNode>, places: ReadonlyMap<string, number>) {
  const found = new Map<string, number>();
  const place = (layer: string): number => places.get(layer) ?? 0;
  const keyOf = (layer: string, node: number): string => `${node}:${layer}`;
  return (name: string, index: number): number => {
    const stack = [{ name, index }];
    for (let one = stack.at(-1); one; one = stack.at(-1)) {
      const at = one;
      const inputs = (known.get(at.name)?.calls[at.index]?.inputs ?? []).filter(({ layer }) => !isInput(known.get(layer) as LayerNode));
      const unknown = inputs.find(({ layer, node }) => !found.has(keyOf(layer, node)));
      if (unknown) {
        stack.push({ name: unknown.layer, index: unknown.node });
        continue;
      }
      const after = inputs.map(({ layer, node }) => (found.get(keyOf(layer, node)) ?? 0) + (place(layer) < place(at.name) ? 0 : 1));
      found.set(keyOf(at.name, at.index), Math.max(0, ...after));
      stack.pop();
    }
    return found.get(keyOf(name, index)) ?? 0;
  };
}
