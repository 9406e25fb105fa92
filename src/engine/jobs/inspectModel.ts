import type { InputContract } from "../../shared/contract.ts";
import type { ModelInspection } from "../../shared/protocol.ts";
import { inspectNetwork } from "../importers/inspect.ts";

/** Layers, shapes and weights of a model file. @throws FILE_NOT_FOUND, MODEL_INVALID */
export const inspectModel = (model: string, contract?: InputContract): Promise<ModelInspection> => inspectNetwork(model, contract);
