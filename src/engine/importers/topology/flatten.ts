import { type Call, isInput, type LayerNode, layersByName, type Ref, refTo, type Topology } from "./graph.ts";

/**
 * One level: the layers of a model that is used as a layer become layers of the model around it, named `model/layer` as `LayerInfo` names
 * them. A model that is applied twice gives each of its layers twice as many applications, with the same weights. tfjs itself loads no two
 * nested models whose layers share names, shows no shapes of those applied twice, and does not know the sizes within one that takes any.
 * The topology has been checked.
 */
export function flatten(topology: Topology): Topology {
  if (!topology.layers.some(({ model }) => model)) return topology;
  const outputs = new Map<string, readonly (readonly Ref[])[]>();
  let isChain = topology.kind === "Sequential";
  const laidOpen = topology.layers.flatMap((layer): readonly LayerNode[] => {
    if (!layer.model) return [layer];
    const inner = flatten(layer.model);
    isChain &&= inner.kind === "Sequential";
    const open = opened(layer, inner);
    outputs.set(layer.name, open.outputs);
    return open.layers;
  });
  const resolve = (ref: Ref): Ref => {
    let found = ref;
    for (let inner = outputs.get(found.layer); inner; inner = outputs.get(found.layer))
      found = inner[found.node]?.[found.tensor] ?? refTo(found.layer);
    return found;
  };
  const layers = laidOpen.map((layer) => ({
    ...layer,
    calls: layer.calls.map((call) => ({ ...call, inputs: call.inputs.map(resolve) })),
  }));
  return { ...topology, kind: isChain ? "Sequential" : "Functional", layers, outputs: topology.outputs.map(resolve) };
}

/** The layers of a nested model for all of its applications, and what each application gives. */
function opened(
  { name, calls }: LayerNode,
  inner: Topology,
): { readonly layers: LayerNode[]; readonly outputs: readonly (readonly Ref[])[] } {
  const byName = layersByName(inner);
  const within = (application: Call, index: number): ((ref: Ref) => Ref) => {
    return (ref) => {
      const layer = byName.get(ref.layer) as LayerNode;
      if (isInput(layer)) {
        const place = inner.inputs.findIndex((input) => input.layer === ref.layer);
        return application.inputs[place] ?? (application.inputs[0] as Ref);
      }
      return { layer: `${name}/${ref.layer}`, node: index * layer.calls.length + ref.node, tensor: ref.tensor };
    };
  };
  const layers = inner.layers
    .filter((layer) => !isInput(layer))
    .map((layer): LayerNode => {
      const named = `${name}/${layer.name}`;
      const applied = calls.flatMap((application, i) => {
        const moved = within(application, i);
        return layer.calls.map((call) => ({ ...call, inputs: call.inputs.map(moved) }));
      });
      return { ...layer, name: named, config: { ...layer.config, name: named }, calls: applied };
    });
  return { layers, outputs: calls.map((application, i) => inner.outputs.map(within(application, i))) };
}
