import { checkValue } from "../../shared/check.ts";
import { type InputContract, InputContractSchema } from "../../shared/contract.ts";
import { BulwarkError } from "../../shared/errors.ts";
import { exists, readText } from "../io/files.ts";

const invalid = (where: string, what: string, fix: string): BulwarkError => new BulwarkError("MODEL_INVALID", `${where}: ${what}.`, fix);

/** The contract in `file`; an empty one (the model takes [0,1] as it is) where there is none. @throws MODEL_INVALID */
export async function readContract(file: string): Promise<InputContract> {
  if (!(await exists(file))) return { input: {} };
  let json: unknown;
  try {
    json = JSON.parse(await readText(file));
  } catch (error) {
    if (error instanceof BulwarkError) throw error;
    throw invalid(file, "the file is cut off or is not JSON", "Correct the input contract, or delete it.");
  }
  return parseContract(json, file);
}

/** The contract in a file that was named. @throws FILE_NOT_FOUND, MODEL_INVALID */
export async function readNamedContract(file: string): Promise<InputContract> {
  if (!(await exists(file)))
    throw new BulwarkError("FILE_NOT_FOUND", `There is no input contract ${file}.`, "Name a file like model.bulwark.json with --contract.");
  return readContract(file);
}

/** Checks a contract from wherever it comes; `where` names it in the error. @throws MODEL_INVALID */
export function parseContract(json: unknown, where: string): InputContract {
  const [wrong] = checkValue(InputContractSchema, json);
  if (wrong) throw invalid(where, wrong.message, `${wrong.fix} That is the input contract of the model.`);
  refuseFractions((json as InputContract).input, where);
  return json as InputContract;
}

/** Refuses mean and standard deviation for pixels in 0…1, as PyTorch programs give them: the model would get values up to 1000. @throws MODEL_INVALID */
function refuseFractions({ mean = 0, scale }: InputContract["input"], where: string): void {
  if (scale === undefined || ![scale].flat().every((one) => one > 0 && one < 1)) return;
  const in255 = (value: number | readonly number[]): string => JSON.stringify(typeof value === "number" ? of255(value) : value.map(of255));
  throw invalid(
    where,
    `"scale" is ${JSON.stringify(scale)}, but mean and scale are in units of 0…255`,
    `Multiply them by 255: "mean": ${in255(mean)}, "scale": ${in255(scale)}.`,
  );
}
const of255 = (value: number): number => Number((255 * value).toFixed(3));

const swapped = (layout: "nhwc" | "nchw"): string => `Set "layout" to "${layout === "nhwc" ? "nchw" : "nhwc"}" in the input contract.`;
const isChannels = (side: number | null | undefined): boolean => side === 1 || side === 3;

/** @throws MODEL_INVALID where channels first are stated for a network that takes them last */
export function checkLayout([first, , last]: readonly (number | null)[], { input: { layout } }: InputContract, where: string): void {
  if (layout !== "nchw" || isChannels(first) || !isChannels(last)) return;
  throw invalid(where, `the contract says that channels come first, and the model takes them last`, swapped(layout));
}

/**
 * Checks a contract against the network's input.
 * @param shape of the input without the batch axis; null where it takes any size.
 * @throws MODEL_INVALID for a network that takes no images, or where the two disagree.
 */
export function checkContract(shape: readonly (number | null)[], contract: InputContract, where: string): void {
  const { layout = "nhwc", size, channels: order } = contract.input;
  if (shape.length !== 3) {
    throw invalid(
      where,
      `the input has shape [${shape.join(", ")}], which is no image [height, width, channels]`,
      "Use an image classifier.",
    );
  }
  const [height, width, channels] = layout === "nhwc" ? shape : [shape[1], shape[2], shape[0]];
  if (!isChannels(channels)) {
    const other = layout === "nhwc" ? shape[0] : shape[2];
    throw invalid(
      where,
      `the model takes ${channels ?? "any number of"} channels`,
      isChannels(other) ? swapped(layout) : "Use a model of grayscale or RGB images.",
    );
  }
  if (order !== undefined && (order === "gray") !== (channels === 1))
    throw invalid(
      where,
      `the contract says channels "${order}" but the model takes ${channels}`,
      'Correct "channels" in the input contract.',
    );
  if (size && (size[0] !== (height ?? size[0]) || size[1] !== (width ?? size[1])))
    throw invalid(
      where,
      `the contract says ${size.join("×")} but the model takes ${height}×${width}`,
      'Correct "size" in the input contract.',
    );
  checkRange(contract, channels as number, where);
}

/** @throws MODEL_INVALID for a mean or scale that does not fit the number of channels, or is no number */
export function checkRange({ input: { mean, scale } }: InputContract, channels: number, where: string): void {
  checkPerChannel("mean", mean, channels, where);
  checkPerChannel("scale", scale, channels, where);
}

function checkPerChannel(key: "mean" | "scale", value: number | readonly number[] | undefined, channels: number, where: string): void {
  if (value === undefined) return;
  const values = typeof value === "number" ? [value] : value;
  if (typeof value !== "number" && value.length !== channels)
    throw invalid(where, `"${key}" has ${value.length} numbers for ${channels} channels`, "Give one number, or one to a channel.");
  if (values.some((v) => !Number.isFinite(v) || (key === "scale" && v === 0)))
    throw invalid(where, `"${key}" must be finite${key === "scale" ? " and not 0" : ""}`, "Correct the input contract.");
}
