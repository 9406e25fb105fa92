import { readFileSync } from "node:fs";
import path from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { useBackend } from "../../../../src/engine/backends/index.ts";
import type { Classifier } from "../../../../src/engine/classifier/classifier.ts";
import { defended } from "../../../../src/engine/classifier/defended.ts";
import { attackSurface } from "../../../../src/engine/classifier/surface.ts";
import { createContext } from "../../../../src/engine/context.ts";
import { predict } from "../../../../src/engine/harness/predict.ts";
import { attackBatch } from "../../../../src/engine/harness/runAttack.ts";
import { imageFromBytes } from "../../../../src/engine/io/images.ts";
import { binomialTail } from "../../../../src/engine/metrics/statistics.ts";
import { bind } from "../../../../src/engine/registry.ts";
import { frontDefenses } from "../../../../src/engine/session/frontDefenses.ts";
import { openModel } from "../../../../src/engine/session/openModel.ts";

const photos = path.join(import.meta.dirname, "../../../../media/samples/photos");
const names = ["bird/duck", "dog/shepherd", "cat/kitten", "cat/chelsea", "deer/moose", "horse/stallion"];
const [side, values] = [32, 32 * 32 * 3];

interface Picture {
  readonly image: Float32Array;
  readonly label: number;
}

/** The six photographs a little larger than the network takes them: four corners and the middle of each, as they are and mirrored. */
async function cutOut(name: string, large: number, label: number): Promise<Picture[]> {
  const o = { size: [large, large], channels: 3, resize: "cover" } as const;
  const { pixels } = await imageFromBytes(readFileSync(path.join(photos, "pictures", `${name}.jpg`)), name, o);
  const free = large - side;
  const corners = [0, free].flatMap((top) => [0, free].map((left) => [top, left] as const));
  return [...corners, [free / 2, free / 2] as const].flatMap(([top, left]) =>
    [false, true].map((isMirrored) => ({
      label,
      image: Float32Array.from({ length: values }, (_, i) => {
        const [y, x] = [Math.floor(i / (3 * side)), Math.floor(i / 3) % side];
        return pixels[((top + y) * large + left + (isMirrored ? side - 1 - x : x)) * 3 + (i % 3)] as number;
      }),
    })),
  );
}

// Athalye et al. 2018, section 4.1, on the small network that the samples bring. Images that survive, static → adaptive: JPEG 7 → 0 of 24, total
// variation 9 → 0 of 16, two bits 10 → 2 of 28.
describe("an attack that passes the gradient of a defence as the identity", () => {
  let model: Classifier;
  const all: Picture[] = [];
  beforeAll(async () => {
    await useBackend("onnxruntime");
    model = (await openModel(path.join(photos, "model"))).classifier;
    for (const name of names)
      for (const large of [36, 40]) all.push(...(await cutOut(name, large, model.classNames.indexOf(name.split("/")[0] as string))));
  });
  const together = (pictures: readonly Picture[]): Float32Array => {
    const images = new Float32Array(pictures.length * values);
    for (const [i, { image }] of pictures.entries()) images.set(image, i * values);
    return images;
  };
  const isRight = async (of: Classifier, images: Float32Array, pictures: readonly Picture[]): Promise<boolean[]> =>
    [...(await predict(of, images))].map((prediction, i) => prediction === pictures[i]?.label);

  it.each([
    ["jpeg", { quality: 10 }, { eps: "24/255", steps: 40 }, 7],
    ["totalVariation", { weight: 3 }, { eps: "24/255", steps: 20 }, 7],
    ["bitDepth", { depth: 2 }, { eps: "7/255", steps: 30 }, 20],
  ])(
    "breaks %s %j under PGD %j, where one that does not know it leaves images right",
    { timeout: 180_000 },
    async (id, params, budget, most) => {
      const front = defended(model, frontDefenses([{ id, params }]), { random: () => expect.unreachable("it is not randomised") });
      const [bare, behind] = [await isRight(model, together(all), all), await isRight(front, together(all), all)];
      const right = all.filter((_, i) => bare[i] && behind[i]);
      const shown = right.filter(({ label }, i) => right.slice(0, i).filter((other) => other.label === label).length < most);
      const [images, labels, n] = [together(shown), Int32Array.from(shown, ({ label }) => label), shown.length];
      const attack = bind("attack", { kind: "pgd", ...budget, stepSize: "2/255" });
      const left = async (knowledge: "static" | "adaptive"): Promise<boolean[]> => {
        const { model: surface } = attackSurface(front, knowledge);
        const what = { attack: attack.entry, params: attack.params, batch: { images, labels, n }, firstIndex: 0, seedName: "pgd" };
        const { adversarial } = await attackBatch({ ...what, model: surface }, createContext({ seed: 1 }));
        return isRight(front, adversarial, shown);
      };
      const [unknown, known] = [await left("static"), await left("adaptive")];
      const count = (survives: readonly boolean[]): number => survives.filter(Boolean).length;
      expect(count(known)).toBeLessThanOrEqual(n / 8);
      expect(count(unknown)).toBeGreaterThanOrEqual(n / 5);
      // The sign test over the same images: nobody would take one for the other.
      const [lost, won] = [
        count(unknown.map((survives, i) => survives && !known[i])),
        count(known.map((survives, i) => survives && !unknown[i])),
      ];
      expect(binomialTail(lost, lost + won, 0.5)).toBeLessThan(0.05);
    },
  );
});
