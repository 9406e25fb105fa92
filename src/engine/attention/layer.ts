import { BulwarkError } from "../../shared/errors.ts";
import { suggestion } from "../../shared/nearest.ts";
import { type LayerSource, layerNamed } from "../classifier/classifier.ts";

/**
 * Name of the layer that an attention map is read from: the one that is asked for, or the last with a grid where `name` is empty.
 * @param reader what reads the map, for messages: "Grad-CAM"
 * @throws PARAMETER_INVALID
 */
export function attentionLayer(layers: Pick<LayerSource, "all" | "defaultLayer"> | undefined, name: string, reader: string): string {
  const spatial = (layers?.all ?? []).filter((layer) => layer.spatial);
  const chosen = name === "" ? layers?.defaultLayer : layerNamed(spatial, name)?.name;
  if (chosen !== undefined) return chosen;
  const names = spatial.map((layer) => layer.name);
  throw new BulwarkError(
    "PARAMETER_INVALID",
    name === "" ? `The model has no layer with a grid, which ${reader} reads.` : `${reader}: there is no layer "${name}" with a grid.`,
    names.length === 0 ? "Choose a model with convolutions." : suggestion(name, names, "It has"),
  );
}
