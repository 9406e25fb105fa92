import type { Config } from "../topology/graph.ts";
import { type KerasWeight, type ListedLayer, listedLayers } from "./content.ts";
import type { StoredDataset, Tree } from "./hdf5/file.ts";
import { kindsOf } from "./kinds.ts";

/**
 * The weights of a `.keras` archive under their names in the network. Keras files them by layer class, in the order of the model's layers:
 * `layers/conv2d_1/vars/0` is the kernel of the second Conv2D. Source: keras/src/saving/saving_lib.py.
 */
export function archiveWeights(model: Config, { datasets, groups }: Tree): KerasWeight[] {
  const byPath = new Map(datasets.map((dataset) => [dataset.path, dataset]));
  // TensorFlow 2.12 and 2.13 use another name for the list.
  const list = groups.includes("/_layer_checkpoint_dependencies") ? "_layer_checkpoint_dependencies" : "layers";
  const weightsOf = (layers: readonly ListedLayer[], place: string, within: string): KerasWeight[] => {
    const counts = new Map<string, number>();
    return layers.flatMap((layer) => {
      const snake = snakeCase(layer.className);
      const before = counts.get(snake) ?? 0;
      counts.set(snake, before + 1);
      const own = `${place}/${list}/${before === 0 ? snake : `${snake}_${before}`}`;
      const name = `${within}${layer.name}`;
      if (layer.layers) return weightsOf(layer.layers, own, `${name}/`);
      return kindsOf(layer.className, layer.config).flatMap((kind, i) => {
        const dataset = variable(own, i, byPath);
        return dataset ? [{ name: `${name}/${kind}`, shape: dataset.shape, dataset }] : [];
      });
    });
  };
  return weightsOf(listedLayers(model), "", "");
}

/** Recurrent layers store their weights in the cell. */
const variable = (layer: string, index: number, byPath: ReadonlyMap<string, StoredDataset>): StoredDataset | undefined =>
  byPath.get(`${layer}/vars/${index}`) ?? byPath.get(`${layer}/cell/vars/${index}`);

/** Keras' name for a class: `Conv2D` → `conv2d`, `ReLU` → `re_lu`. Source: keras/src/utils/naming.py, `to_snake_case`. */
export const snakeCase = (className: string): string =>
  className
    .replace(/\W+/g, "")
    .replace(/(.)([A-Z][a-z]+)/g, "$1_$2")
    .replace(/([a-z])([A-Z])/g, "$1_$2")
    .toLowerCase();
