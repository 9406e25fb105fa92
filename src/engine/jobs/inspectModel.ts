import type { ModelInspection } from "../../shared/protocol.ts";
import { inspectNetwork } from "../importers/inspect.ts";

/** Layers, shapes and weights of a model file. @throws FILE_NOT_FOUND, MODEL_INVALID */
export const inspectModel = (model: string): Promise<ModelInspection> => inspectNetwork(model);
