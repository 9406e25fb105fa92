import type { InputContract } from "../../../shared/contract.ts";
import { BulwarkError } from "../../../shared/errors.ts";
import { imagenetClasses } from "../imagenetClasses.ts";
import { agree, classListsBeside } from "./classLists.ts";
import type { ClassList, InputEvidence } from "./evidence.ts";

export interface NamedOutputs {
  /** Null where nothing names the classes: they are numbers then. */
  readonly classes: ClassList | null;
  /** Outputs before that of class 0. */
  readonly labelOffset: number;
  /** Lists that were not understood. */
  readonly notes: readonly string[];
}

interface Outputs {
  readonly file: string;
  /** Null where the network does not say. */
  readonly count: number | null;
  /** Height, width, channels; null for any size. */
  readonly image: readonly (number | null)[];
}

/**
 * Names of the outputs: those of the contract, else of metadata, else of a list beside the model, else ImageNet's for a network of photos
 * with 1000 outputs (1001 with a background class first).
 * @throws MODEL_INVALID where names and outputs differ in number, a name is there twice, or two lists disagree and the contract names none
 */
export async function nameOutputs(
  contract: InputContract,
  contractName: string,
  evidence: readonly InputEvidence[],
  outputs: Outputs,
): Promise<NamedOutputs> {
  const stated = contract.output?.classes;
  const labelOffset = contract.output?.labelOffset ?? 0;
  checkOffset(labelOffset, contractName, outputs);
  if (stated) {
    const synsets = contract.output?.synsets ?? null;
    if (synsets && synsets.length !== stated.length)
      throw new BulwarkError(
        "MODEL_INVALID",
        `${contractName} has ${stated.length} class names and ${synsets.length} WordNet ids.`,
        'Give one of "output.synsets" to each of "output.classes", or leave them out.',
      );
    const classes: ClassList = { names: stated, synsets, source: { kind: "given", text: contractName } };
    return { classes: checked(classes, labelOffset, outputs), labelOffset, notes: [] };
  }
  const { lists, notes } = await classListsBeside(outputs.file);
  const described = evidence.flatMap(({ classes, source }): ClassList[] => (classes ? [{ names: classes, synsets: null, source }] : []));
  const [found, ...others] = [...described, ...lists];
  if (!found) return { ...imagenetOutputs(contract.output?.labelOffset, outputs), notes };
  const other = others.find((list) => !agree(found, list));
  if (other)
    throw new BulwarkError(
      "MODEL_INVALID",
      `${found.source.text} and ${other.source.text} beside ${outputs.file} name the classes differently.`,
      `Keep one of the two, or put the right names into "output.classes" of the input contract.`,
    );
  return { classes: checked(found, labelOffset, outputs), labelOffset, notes };
}

/** At least two classes follow the scores that are skipped. */
function checkOffset(labelOffset: number, contractName: string, { file, count }: Outputs): void {
  if (count === null || labelOffset === 0 || count - labelOffset >= 2) return;
  throw new BulwarkError(
    "MODEL_INVALID",
    `${contractName} says that class 0 comes after ${labelOffset} ${labelOffset === 1 ? "score" : "scores"}, but ${file} gives ${count}.`,
    `Correct "labelOffset" in the input contract.`,
  );
}

const smallestPhoto = 96;

function imagenetOutputs(stated: number | undefined, { count, image }: Outputs): Omit<NamedOutputs, "notes"> {
  const [height, width, channels] = image;
  const isPhoto = channels === 3 && [height, width].every((side) => side === null || (side ?? 0) >= smallestPhoto);
  const labelOffset = stated ?? (count === 1001 && isPhoto ? 1 : 0);
  if (!isPhoto || count === null || count - labelOffset !== 1000) return { classes: null, labelOffset };
  const text = `ImageNet's names, assumed from ${count} outputs${labelOffset === 1 ? " (the first is the background)" : ""}`;
  return { classes: { ...imagenetClasses(), source: { kind: "assumed", text } }, labelOffset };
}

function checked(list: ClassList, labelOffset: number, { count, file }: Outputs): ClassList {
  const { names, source } = list;
  const wanted = count === null ? names.length : count - labelOffset;
  if (names.length !== wanted) {
    const behind = labelOffset === 0 ? "" : ` after the first ${labelOffset}`;
    throw new BulwarkError(
      "MODEL_INVALID",
      `${file} gives ${count} scores but ${source.text} names ${names.length} classes${behind}.`,
      `Correct the names in ${source.text}, or put the right ones into "output.classes" of the input contract.`,
    );
  }
  return { ...list, names: toldApart(list, file) };
}

/** ImageNet itself names two cranes and two maillots: in lists of its length the second bears its number. */
function toldApart({ names, source }: ClassList, file: string): readonly string[] {
  const first = new Map<string, number>();
  return names.map((name, index) => {
    const before = first.get(name);
    first.set(name, before ?? index);
    if (before === undefined) return name;
    if (names.length >= 1000) return `${name} (${index})`;
    throw new BulwarkError(
      "MODEL_INVALID",
      `${source.text} of ${file} names the class "${name}" twice, as ${before} and ${index}.`,
      "Give every class a name of its own.",
    );
  });
}
