import type { RunContext } from "../context.ts";
import type { Dataset, DatasetSpec, Params, Split } from "../define/index.ts";
import { type Check, demand, demandBounds, distance } from "./check.ts";

const splits: readonly Split[] = ["train", "test"];

/** Checks that every data set has to pass. @param params complete; files that they name have to exist */
export function datasetChecks(entry: DatasetSpec, params: Params, ctx: () => RunContext): Check[] {
  let opened: Promise<Dataset> | undefined;
  const data = (): Promise<Dataset> => {
    opened ??= entry.load(params, ctx());
    return opened;
  };
  return [
    { name: "opens, and says its size and its classes", run: async () => demandFacts(await data()) },
    { name: "reads the images that are asked for, twice the same", run: async () => demandImages(await data()) },
    { name: "honours the bounds of its parameters", run: async () => demandBounds(entry) },
    { name: "closes", run: async () => (await data()).close() },
  ];
}

const used = (data: Dataset): Split[] => splits.filter((split) => data.size(split) > 0);

function demandFacts(data: Dataset): void {
  const whole = (value: unknown): boolean => Number.isInteger(value) && (value as number) > 0;
  demand(
    Array.isArray(data.inputShape) && data.inputShape.length === 3 && data.inputShape.every(whole),
    "inputShape is not [height, width, channels]",
  );
  demand(Array.isArray(data.classNames) && data.classNames.every((name) => typeof name === "string"), "classNames is no list of names");
  for (const name of ["size", "labels", "isGrouped", "read", "boxes", "close"] as const)
    demand(typeof data[name] === "function", `${name} is no function`);
  demand(used(data).length > 0, "neither split has an image");
  for (const split of used(data)) {
    const labels = data.labels(split);
    demand(labels.length === data.size(split), `${labels.length} labels are there for ${data.size(split)} images (${split})`);
    const wrong = labels.find((label) => !Number.isInteger(label) || label < 0 || label >= data.classNames.length);
    demand(wrong === undefined, `the label ${wrong} is none of the ${data.classNames.length} classes (${split})`);
    demand(Array.isArray(data.boxes(split, 0)), "boxes gives no list");
    demand(typeof data.isGrouped(split) === "boolean", "isGrouped gives no boolean");
  }
}

async function demandImages(data: Dataset): Promise<void> {
  const pixels = data.inputShape.reduce((product, side) => product * side, 1);
  for (const split of used(data)) {
    const last = data.size(split) - 1;
    const indices = last > 0 ? [last, 0] : [0];
    const { images, labels, n } = await data.read(split, indices);
    demand(
      n === indices.length && images.length === n * pixels && labels.length === n,
      `read gives other sizes than ${n} images of ${pixels} values`,
    );
    demand(images instanceof Float32Array, "images are no Float32Array");
    demand(
      images.every((value) => value >= 0 && value <= 1),
      "a value lies outside [0,1]",
    );
    demand(
      indices.every((index, i) => data.labels(split)[index] === labels[i]),
      "read and labels give an image two labels",
    );
    demand(distance((await data.read(split, indices)).images, images) === 0, "a second reading gives other images");
    demand(distance((await data.read(split, [0])).images, images.slice(-pixels)) === 0, "an image alone is another than in a batch");
  }
}
