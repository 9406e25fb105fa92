import type { InputContract } from "../../shared/contract.ts";
import type { RunContext } from "../context.ts";
import { parseDataset } from "../datasets/resolve.ts";
import { givenNames } from "../evaluation/classMatch.ts";
import { openImages } from "../evaluation/source.ts";
import { find } from "../registry.ts";
import { decide, type Scored } from "./decide.ts";
import { labelsAs, type ReadLabels } from "./labels.ts";
import type { Probed } from "./probe.ts";
import { passesOf, scored } from "./score.ts";

type Input = InputContract["input"];

/** Fits in use, the default first. */
const fits: readonly { readonly id: string; readonly input: Pick<Input, "resize" | "crop"> }[] = [
  { id: "cover", input: { resize: "cover" } },
  { id: "cover, centre crop .875", input: { resize: "cover", crop: 0.875 } },
  { id: "stretch", input: { resize: "fill" } },
];

/**
 * How pictures of another size are brought to the model's: only for data that are read in any size, and only where the contract does not
 * say. A fit other than the default is taken where it is better beyond chance.
 */
export async function probeFit(
  probed: Probed,
  input: Input,
  read: ReadLabels,
  ctx: RunContext,
): Promise<{ readonly input: Input; readonly cannotTell: readonly string[] } | null> {
  const { params } = probed;
  const { kind } = parseDataset(params.dataset, params.workspace);
  if (input.resize !== undefined || !("resize" in find("dataset", kind).params.properties)) return null;
  const all: Scored[] = [];
  let labels = new Int32Array();
  for (const fit of fits) {
    const model = probed.withInput({ ...input, ...fit.input });
    const { images, classNames, close } = await openImages({ ...params, files: [] }, model, params.model, ctx);
    try {
      const passes = await passesOf([model], images, ctx, () => undefined);
      labels = Int32Array.from(labelsAs(passes.labels, read, { classes: passes.classes, names: givenNames(classNames) }));
      all.push(scored(fit.id, passes.logits[0] as Float32Array, labels, passes.classes));
    } finally {
      await close();
    }
  }
  const verdict = decide(all, labels);
  const best = fits.find(({ id }) => id === verdict.compared[0]?.scored.id);
  if (!verdict.decided || !best) return { input: {}, cannotTell: verdict.cannotTell.map((reason) => `How pictures are fitted: ${reason}`) };
  return { input: best.input.resize === "cover" && best.input.crop === undefined ? {} : best.input, cannotTell: [] };
}
