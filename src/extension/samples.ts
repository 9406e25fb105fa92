import path from "node:path";
import { BulwarkError } from "../shared/errors.ts";

/** Something to try that comes with the extension: a small network, and a picture that it classifies right. */
export interface Sample {
  readonly title: string;
  readonly model: string;
  readonly image: string;
  /** One folder for each class. */
  readonly pictures: string;
}

/** The pictures that are attacked are classified right, and fooled by the attack that comes first: a test holds this. */
const demos = {
  photos: { title: "Photos", image: "cat/kitten.jpg" },
  digits: { title: "Handwritten digits", image: "7/seven.png" },
} as const;
export type SampleName = keyof typeof demos;
export const sampleNames = Object.keys(demos) as SampleName[];

/** @throws USAGE for a name that no sample has */
export function sampleOf(extensionPath: string, name: string): Sample {
  if (!isSample(name)) throw new BulwarkError("USAGE", `There is no sample "${name}".`, `Samples: ${sampleNames.join(", ")}.`);
  const folder = path.join(extensionPath, "media", "samples", name);
  const pictures = path.join(folder, "pictures");
  const { title, image } = demos[name];
  return { title, model: path.join(folder, "model", "model.json"), image: path.join(pictures, image), pictures };
}

const isSample = (name: string): name is SampleName => Object.hasOwn(demos, name);
