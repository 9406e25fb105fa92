import type { LabelChoice } from "../engine/evaluation/trueLabel.ts";
import type { Args } from "./args.ts";

/** What the images show, as `--label` or `--no-label` say it. @throws USAGE for both, or for one label for a whole data set */
export function labelOf(args: Args): LabelChoice {
  const [label, none] = [args.text("label"), args.flag("no-label")];
  if (label !== undefined && args.dataset() !== null)
    throw args.usage("--label is for --image. A data set has labels of its own; --no-label leaves them out.");
  if (label !== undefined && none) throw args.usage("A picture has either a --label or --no-label.");
  return none ? null : label;
}
