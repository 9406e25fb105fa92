import { askAttack, askImage, chooseModel, firstAttack, lastAttack, rememberAttack, rememberModel } from "../choose.ts";
import { isRecord } from "../files.ts";
import type { InspectorRequest } from "../panels/inspector/file.ts";
import { inspectorPanel } from "../panels/inspector/inspector.ts";
import type { Services } from "../services.ts";
import { activeImage, toPath } from "../workspace.ts";

/** A panel of this image may be there, whatever it is about to show. */
const unknownYet = { model: "", attack: { id: "fgsm", params: {} }, defenses: [] };

interface Given {
  readonly model: string | undefined;
  readonly attack: string | undefined;
  readonly params: Readonly<Record<string, unknown>>;
}
/** `{model, attack, params}` from a panel, a script or a test; menus hand other things as second argument. */
function given(argument: unknown): Given {
  const record = isRecord(argument) ? argument : {};
  const text = (key: string): string | undefined => (typeof record[key] === "string" ? record[key] : undefined);
  return { model: text("model"), attack: text("attack"), params: isRecord(record["params"]) ? record["params"] : {} };
}

/** Right-click: the last choices where they still hold, else the only model, else one question. */
export async function attackThisImage(services: Services, resource?: unknown, options?: unknown): Promise<unknown> {
  const image = toPath(resource) ?? activeImage() ?? (await askImage());
  const { model, attack, params } = given(options);
  await inspectorPanel.wake(services, { image, ...unknownYet });
  const file = model ?? (await modelBehind(services, image));
  if (file === undefined) return undefined;
  const chosen = attack === undefined ? (lastAttack(services, file) ?? (await firstAttack(file))) : { id: attack, params };
  return inspect(services, { image, model: file, attack: chosen, defenses: [] }, attack !== undefined);
}

/** The panel appears at once, with the picture; the model is looked for behind it. Where there is none, the panel has the ways out. */
async function modelBehind(services: Services, image: string): Promise<string | undefined> {
  const inspector = inspectorPanel.open(services, { image, ...unknownYet });
  try {
    return await chooseModel(services, { ask: false });
  } catch (thrown) {
    inspector.fail(thrown);
    return undefined;
  }
}

/** Palette: asks for all that is not given. */
export async function attackImage(services: Services, resource?: unknown, options?: unknown): Promise<unknown> {
  const image = toPath(resource) ?? (await askImage());
  const { model, attack, params } = given(options);
  await inspectorPanel.wake(services, { image, ...unknownYet });
  const file = model ?? (await chooseModel(services, { ask: true }));
  const chosen = attack === undefined ? await askAttack(services, file) : { id: attack, params };
  return inspect(services, { image, model: file, attack: chosen, defenses: [] }, attack !== undefined);
}

/** @param isNamed the caller said which attack, so that there is nothing to ask however long it takes */
async function inspect(services: Services, request: InspectorRequest, isNamed: boolean): Promise<unknown> {
  rememberModel(services, request.model);
  rememberAttack(services, request.attack, request.model);
  return inspectorPanel.open(services, request).attack(request, isNamed);
}
