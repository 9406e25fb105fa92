import path from "node:path";
import type { ClassListChoice, ClassLists, ClassListsParams, WriteClassListParams, WrittenClassList } from "../../shared/classLists.ts";
import type { InputContract } from "../../shared/contract.ts";
import { BulwarkError } from "../../shared/errors.ts";
import { readContract } from "../importers/contract.ts";
import { type NameList, readClassList } from "../importers/evidence/classLists.ts";
import { imagenetClasses } from "../importers/imagenetClasses.ts";
import { loadNetwork, shapeOf } from "../importers/index.ts";
import { contractFile, locateModel } from "../importers/locate.ts";
import { writeAtomic } from "../io/files.ts";

const sampled = 3;

/**
 * Which of some files are lists of class names that fit a model, and ImageNet's where it has as many classes. Works for a model whose list does
 * not fit as well. Writes nothing; `writeClassList` does.
 * @throws what opening the model throws
 */
export async function classLists({ model, files }: ClassListsParams): Promise<ClassLists> {
  const { outputs, contract, now } = await modelOf(model);
  const read = await Promise.all(files.map(async (file) => ({ file, list: await readQuietly(file) })));
  const lists = [...read.flatMap(({ file, list }) => (list ? [{ file, list }] : [])), { file: null, list: imagenetClasses() }];
  const fits = (list: NameList): boolean => isUnique(list) && offsetOf(list, outputs, contract) !== null;
  const described = (chosen: typeof lists): ClassListChoice[] =>
    chosen.map(({ file, list }) => ({ file, count: list.names.length, sample: list.names.slice(0, sampled) }));
  return {
    outputs,
    now,
    fitting: described(lists.filter(({ list }) => fits(list))),
    others: described(lists.filter(({ file, list }) => file !== null && !fits(list))),
  };
}

/**
 * Writes a list of class names into `<model>.bulwark.json`; all else that the contract says stays.
 * @throws FILE_NOT_FOUND, MODEL_INVALID for a file that is no list or names another number of classes, or a contract that cannot be read;
 * NOT_WRITABLE, DISK_FULL
 */
export async function writeClassList({ model, file }: WriteClassListParams): Promise<WrittenClassList> {
  const { outputs } = await modelOf(model);
  const list = file === null ? imagenetClasses() : await readClassList(file);
  const name = file === null ? "ImageNet's list" : path.basename(file);
  if (!list) throw refused(`${name} is no list of class names`, "Choose a file with one name to a line, or a JSON list of names.");
  const target = contractFile(await locateModel(model));
  const stored = await readContract(target);
  const labelOffset = offsetOf(list, outputs, stored);
  if (labelOffset === null) throw refused(`${name} names ${list.names.length} classes, but the model gives ${outputs} scores`, another);
  if (!isUnique(list)) throw refused(`${name} names a class twice`, "Give every class a name of its own.");
  const { classes: _names, synsets: _ids, labelOffset: _offset, ...rest } = stored.output ?? {};
  const output = {
    ...rest,
    ...(labelOffset === 0 ? {} : { labelOffset }),
    classes: [...list.names],
    ...(list.synsets ? { synsets: [...list.synsets] } : {}),
  };
  await writeAtomic(target, `${JSON.stringify({ ...stored, output } satisfies InputContract, null, 2)}\n`);
  return { contract: path.resolve(target), names: list.names };
}

const another = "Choose a list with a name for each of the model's classes.";
const refused = (what: string, fix: string): BulwarkError => new BulwarkError("MODEL_INVALID", `${what}.`, fix);

/** ImageNet has two classes called crane: a list of its length may hold a name twice; reading it adds what tells them apart. */
const isUnique = ({ names }: NameList): boolean => names.length >= 1000 || new Set(names).size === names.length;

/** Outputs before that of the first name: as the contract says, or none, or the background class before 1000. Null where the list does not fit. */
function offsetOf({ names }: NameList, outputs: number, { output }: InputContract): number | null {
  const before = outputs - names.length;
  if (before === 0 || before === output?.labelOffset) return before;
  return before === 1 && names.length === 1000 ? 1 : null;
}

async function modelOf(model: string): Promise<Pick<ClassLists, "outputs" | "now"> & { readonly contract: InputContract }> {
  const { network, contract } = await loadNetwork(model, undefined, { isUnnamed: true });
  const outputs = shapeOf(network.outputs[0]).at(-1) ?? 0;
  network.dispose();
  try {
    const named = await loadNetwork(model);
    named.network.dispose();
    return { outputs, contract, now: named.classes?.source ?? null };
  } catch (thrown) {
    if (thrown instanceof BulwarkError && thrown.code === "MODEL_INVALID") return { outputs, contract, now: null }; // its names do not fit
    throw thrown;
  }
}

/** A file that cannot be read offers nothing. */
const readQuietly = (file: string): Promise<NameList | null> => readClassList(file).catch(() => null);
