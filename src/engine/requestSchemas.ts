import { Type } from "@sinclair/typebox";
import type { RequestType } from "vscode-jsonrpc";
import { checkValue, type JsonSchema, pathText } from "../shared/check.ts";
import { InputContractSchema } from "../shared/contract.ts";
import { BulwarkError, type ErrorData } from "../shared/errors.ts";
import { fitRules } from "../shared/fit.ts";
import type { requests } from "../shared/protocol.ts";
import { fields, flag, list, natural, num, oneOf, orNull, pairOf, type Shape, text, whole } from "../shared/shapes.ts";

const optional = Type.Optional;
const nothing = Type.Unsafe<Record<string, never>>(orNull(fields));
const pick = Type.Object({ id: text, params: fields });
const fit = orNull(oneOf(fitRules));
const inspected = { image: text, model: text, fit, defenses: list(pick), seed: num, run: text, iteration: orNull(natural), folder: text };
const sticker = Type.Object({ area: optional(num), target: optional(whole) });
const split = oneOf(["train", "test"]);
const images = Type.Object({ files: optional(list(text)), dataset: optional(text), split: optional(split), limit: optional(num) });

type Method = keyof typeof requests;
type ParamsOf<K extends Method> = (typeof requests)[K] extends RequestType<infer P, unknown, ErrorData> ? P : never;

/** What each request must have, so that one that does not fit is refused before anything is done. Further keys are passed over. */
const shapes: { readonly [K in Method]: Shape<ParamsOf<K>> } = {
  handshake: Type.Object({ backend: text, device: optional(text), protocol: num }),
  ping: nothing,
  list: Type.Object({ experiment: optional(text) }),
  doctor: nothing,
  inspectModel: Type.Object({ model: text }),
  checkModel: Type.Object({ model: text, token: text }),
  probeContract: Type.Object({ model: text, dataset: text, split, limit: num, seed: num, workspace: text, token: text }),
  writeProbe: Type.Object({ model: text, contract: orNull(InputContractSchema) }),
  classLists: Type.Object({ model: text, files: list(text) }),
  writeClassList: Type.Object({ model: text, file: orNull(text) }),
  previewDataset: Type.Object({ dataset: text, workspace: text, directory: text, limit: num }),
  warmUp: Type.Object({ model: text }),
  attackImage: Type.Object({
    ...{ image: text, model: text, attack: pick, defenses: optional(list(pick)), label: optional(orNull(whole)) },
    ...{ fit: optional(fit), seed: num, directory: text, token: text },
  }),
  estimateAttack: Type.Object({ model: text, attack: pick, defenses: list(pick) }),
  labelRun: Type.Object({ directory: text, label: whole }),
  explainRun: Type.Object({ ...inspected, explanation: orNull(pick), token: text }),
  explainSequence: Type.Object({ ...inspected, explanation: pick, token: text }),
  defendRun: Type.Object({ ...inspected, chain: list(pick) }),
  detectRun: Type.Object({ ...inspected, detector: pick, token: text }),
  calibrateDetector: Type.Object({ ...inspected, detector: pick, data: text, limit: num, workspace: text, token: text }),
  rankPatches: Type.Object({
    ...{ image: text, attacked: optional(text), patch: Type.Union([num, Type.Literal("auto")]), stride: optional(num) },
    ...{ measure: text, measureParams: optional(fields), order: oneOf(["asc", "desc"]), reference: text },
    ...{
      onRemainder: optional(oneOf(["error", "reflectPad", "drop"])),
      size: optional(pairOf(num)),
    },
    ...{ directory: text, force: optional(flag) },
  }),
  trainPatch: Type.Object({
    ...{ model: text, images, settings: fields, seed: num, directory: text, workspace: text, token: text },
  }),
  applyPatch: Type.Object({
    ...{ model: text, image: text, patch: text, sticker: optional(sticker), label: optional(whole), directory: text, file: optional(text) },
    placement: Type.Object({ row: num, column: num, rotation: num, scale: num }),
  }),
  previewPatch: Type.Object({
    ...{ model: text, images, patch: text, sticker: optional(sticker), count: natural, seed: num, directory: text, workspace: text },
    transforms: optional(Type.Object({ rotation: num, scaleMin: num, scaleMax: num })),
  }),
  patchSuccessMap: Type.Object({
    ...{ model: text, images, patch: text, sticker: optional(sticker), stride: num, rotation: optional(num), scale: optional(num) },
    ...{ directory: text, workspace: text, token: text },
  }),
  exportPatch: Type.Object({
    ...{ patch: text, sticker: optional(sticker), centimetres: num, dpi: optional(num), file: text },
    ...{ upscaling: optional(oneOf(["nearest", "smooth"])), background: optional(oneOf(["transparent", "white"])) },
  }),
  runExperiment: Type.Object({
    ...{ file: text, mode: oneOf(["run", "train", "evaluate"]), model: optional(text), directory: optional(text), workspace: text },
    ...{ backend: text, seed: optional(num), force: optional(flag) },
  }),
  resumeRun: Type.Object({ directory: text, backend: text }),
};

/** @throws PARAMETER_INVALID for a request whose parameters are not what the protocol says */
export function checkRequest(method: string, params: unknown): void {
  const shape = (shapes as Readonly<Record<string, JsonSchema>>)[method];
  const [wrong] = shape ? checkValue(shape, params) : [];
  if (!wrong) return;
  const where = wrong.path.length === 0 ? "its parameters" : pathText(wrong.path);
  throw new BulwarkError(
    "PARAMETER_INVALID",
    `The request "${method}" does not fit the protocol, at ${where}: ${wrong.message}.`,
    "Reload the window, so that the editor and the engine are of one version.",
  );
}
