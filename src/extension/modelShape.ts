import { requests } from "../shared/protocol.ts";
import type { ModelShape } from "./fit.ts";
import type { Services } from "./services.ts";

export interface OpenedShape extends ModelShape {
  /** The model gives scores only. */
  readonly forwardOnly: boolean;
}
/** What a model takes and tells apart. @throws what opening it throws */
export async function shapeOf(services: Services, model: string): Promise<OpenedShape> {
  const { inputShape, classes, classNames, forwardOnly } = await services.engine.request(requests.inspectModel, { model });
  return { input: inputShape.slice(1), classes, classNames, forwardOnly: forwardOnly !== undefined };
}
