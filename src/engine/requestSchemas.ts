import { type Static, type TSchema, Type } from "@sinclair/typebox";
import type { RequestType } from "vscode-jsonrpc";
import { checkValue, pathText } from "../shared/check.ts";
import { BulwarkError, type ErrorData } from "../shared/errors.ts";
import { fitRules } from "../shared/fit.ts";
import type { ApplyPatchParams } from "../shared/patch.ts";
import type { requests } from "../shared/protocol.ts";

const text = Type.String();
const number = Type.Number();
const whole = Type.Integer();
const count = Type.Integer({ minimum: 0 });
const optional = Type.Optional;
const oneOf = <const T extends readonly string[]>(...words: T) => Type.Union(words.map((word) => Type.Literal(word as T[number])));
const orNull = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);
const listOf = <T extends TSchema>(schema: T) => Type.Unsafe<readonly Static<T>[]>(Type.Array(schema));
const values = Type.Record(Type.String(), Type.Unknown());

/** Nothing, or an object with what the request takes. */
const nothing = orNull(values);
const pick = Type.Object({ id: text, params: values });
const fit = orNull(oneOf(...fitRules));
const inspected = {
  ...{ image: text, model: text, fit, defenses: listOf(pick), seed: number, run: text, iteration: orNull(count), folder: text },
};
const sticker = optional(Type.Unsafe<ApplyPatchParams["sticker"]>(Type.Object({ area: optional(number), target: optional(whole) })));
const patchImages = Type.Object({
  ...{ files: optional(listOf(text)), dataset: optional(text), split: optional(oneOf("train", "test")), limit: optional(number) },
});
const split = oneOf("train", "test");

/** What each request must have, so that one that does not fit is refused before anything is done. Further keys are passed over. */
const schemas = {
  handshake: Type.Object({ backend: text, device: optional(text), protocol: number }),
  ping: nothing,
  list: Type.Object({ experiment: optional(text) }),
  doctor: nothing,
  inspectModel: Type.Object({ model: text }),
  checkModel: Type.Object({ model: text, token: text }),
  probeContract: Type.Object({ model: text, dataset: text, split, limit: number, seed: number, workspace: text, token: text }),
  writeProbe: Type.Object({ model: text, contract: orNull(values) }),
  classLists: Type.Object({ model: text, files: listOf(text) }),
  writeClassList: Type.Object({ model: text, file: orNull(text) }),
  previewDataset: Type.Object({ dataset: text, workspace: text, directory: text, limit: number }),
  warmUp: Type.Object({ model: text }),
  attackImage: Type.Object({
    ...{ image: text, model: text, attack: pick, defenses: optional(listOf(pick)), label: optional(orNull(whole)) },
    ...{ fit: optional(fit), seed: number, directory: text, token: text },
  }),
  estimateAttack: Type.Object({ model: text, attack: pick, defenses: listOf(pick) }),
  labelRun: Type.Object({ directory: text, label: whole }),
  explainRun: Type.Object({ ...inspected, explanation: orNull(pick), token: text }),
  explainSequence: Type.Object({ ...inspected, explanation: pick, token: text }),
  defendRun: Type.Object({ ...inspected, chain: listOf(pick) }),
  detectRun: Type.Object({ ...inspected, detector: pick, token: text }),
  calibrateDetector: Type.Object({ ...inspected, detector: pick, data: text, limit: number, workspace: text, token: text }),
  rankPatches: Type.Object({
    ...{ image: text, attacked: optional(text), patch: Type.Union([number, Type.Literal("auto")]), stride: optional(number) },
    ...{ measure: text, measureParams: optional(values), order: oneOf("asc", "desc"), reference: text },
    ...{
      onRemainder: optional(oneOf("error", "reflectPad", "drop")),
      size: optional(Type.Unsafe<readonly [number, number]>(Type.Tuple([number, number]))),
    },
    ...{ directory: text, force: optional(Type.Boolean()) },
  }),
  trainPatch: Type.Object({
    ...{ model: text, images: patchImages, settings: values, seed: number, directory: text, workspace: text, token: text },
  }),
  applyPatch: Type.Object({
    ...{ model: text, image: text, patch: text, sticker, label: optional(whole), directory: text, file: optional(text) },
    placement: Type.Object({ row: number, column: number, rotation: number, scale: number }),
  }),
  previewPatch: Type.Object({
    ...{ model: text, images: patchImages, patch: text, sticker, count, seed: number, directory: text, workspace: text },
    transforms: optional(Type.Object({ rotation: number, scaleMin: number, scaleMax: number })),
  }),
  patchSuccessMap: Type.Object({
    ...{ model: text, images: patchImages, patch: text, sticker, stride: number, rotation: optional(number), scale: optional(number) },
    ...{ directory: text, workspace: text, token: text },
  }),
  exportPatch: Type.Object({
    ...{ patch: text, sticker, centimetres: number, dpi: optional(number), file: text },
    ...{ upscaling: optional(oneOf("nearest", "smooth")), background: optional(oneOf("transparent", "white")) },
  }),
  runExperiment: Type.Object({
    ...{ file: text, mode: oneOf("run", "train", "evaluate"), model: optional(text), directory: optional(text), workspace: text },
    ...{ backend: text, seed: optional(number), force: optional(Type.Boolean()) },
  }),
  resumeRun: Type.Object({ directory: text, backend: text }),
};

type Method = keyof typeof requests;
type ParamsOf<K extends Method> = (typeof requests)[K] extends RequestType<infer P, unknown, ErrorData> ? P : never;
/** Whatever the protocol's types allow must fit its schema, so that no sound request is refused. */
type Fitting = { readonly [K in Method]: ParamsOf<K> extends Readonly<Static<(typeof schemas)[K]>> ? TSchema : never };
const checked: Fitting = schemas;

/** @throws PARAMETER_INVALID for a request whose parameters are not what the protocol says */
export function checkRequest(method: string, params: unknown): void {
  const schema = (checked as Readonly<Record<string, TSchema>>)[method];
  const [wrong] = schema ? checkValue(schema, params) : [];
  if (!wrong) return;
  const where = wrong.path.length === 0 ? "its parameters" : pathText(wrong.path);
  throw new BulwarkError(
    "PARAMETER_INVALID",
    `The request "${method}" does not fit the protocol, at ${where}: ${wrong.message}.`,
    "Reload the window, so that the editor and the engine are of one version.",
  );
}
