import type { CardId } from "../../../shared/cards.ts";
import type { ErrorCode } from "../../../shared/errors.ts";
import { toErrorData } from "../../../shared/errors.ts";
import type { PanelAction, PanelError } from "../../../shared/panels.ts";
import { panelError } from "../../messages.ts";
import { attack } from "./attack.ts";
import { attackByScores, attackWithSample, chooseAttack, chooseModel } from "./chooseParts.ts";
import { chooseClassList } from "./classList.ts";
import { editOf, probeOf } from "./contract.ts";
import { detectByDefaults, detectBySoftmax } from "./detectBy.ts";
import { chooseFit } from "./fit.ts";
import { chooseLabel } from "./label.ts";
import { requestOf, type Session } from "./session.ts";

/** A way out that needs the open Inspector. */
interface Remedy extends PanelAction {
  apply(session: Session): Promise<unknown>;
}
const fit: Remedy = { id: "inspector.fit", label: "Choose a Fit…", apply: chooseFit };
const label: Remedy = { id: "inspector.label", label: "Choose Label…", apply: chooseLabel };
const model: Remedy = { id: "inspector.model", label: "Open a Model…", apply: chooseModel };
const sampleModel: Remedy = { id: "inspector.sample", label: "Attack It With the Sample Network", apply: attackWithSample };
const otherAttack: Remedy = { id: "inspector.attack", label: "Choose Another Attack…", apply: chooseAttack };
const byScores: Remedy = { id: "inspector.scores", label: "Attack by Scores Alone", apply: attackByScores };
const defaults: Remedy = {
  id: "inspector.defaults",
  label: "Use the Defaults",
  apply: (session) => attack(session, { ...requestOf(session), attack: { id: session.state.attack.id, params: {} } }),
};
const bare: Remedy = {
  id: "inspector.bare",
  label: "Attack Without Defences",
  apply: (session) => attack(session, { ...requestOf(session), defenses: [] }),
};
const again: Remedy = { id: "inspector.again", label: "Attack Again", apply: (session) => attack(session, requestOf(session)) };
const classNames: Remedy = { id: "inspector.classes", label: "Choose Class Names…", apply: chooseClassList };
const edit: Remedy = { id: "inspector.contract", label: "Edit Contract", apply: editOf };
const probe: Remedy = { id: "inspector.probe", label: "Probe…", apply: probeOf };
const softmaxEntropy: Remedy = { id: "inspector.softmaxEntropy", label: "Use Softmax Entropy", apply: detectBySoftmax };
const detectorDefaults: Remedy = { id: "inspector.detectorDefaults", label: "Use the Detector's Defaults", apply: detectByDefaults };
const all: readonly Remedy[] = [
  ...[fit, label, model, sampleModel, byScores, otherAttack, defaults, bare, again, classNames, edit, probe],
  ...[softmaxEntropy, detectorDefaults],
];

/** What a card offers first in place of what an attack would. */
const ofDetectors: Partial<Record<ErrorCode, readonly Remedy[]>> = {
  MODEL_FORWARD_ONLY: [softmaxEntropy],
  MODEL_UNSUPPORTED: [softmaxEntropy],
  UNKNOWN_ID: [softmaxEntropy],
  PARAMETER_INVALID: [detectorDefaults],
};
const ofCard: Partial<Record<CardId, typeof ofDetectors>> = { detection: ofDetectors, calibration: ofDetectors };

/** Offered before what every panel offers, and after it. */
const before: Partial<Record<ErrorCode, readonly Remedy[]>> = {
  NO_MODEL: [sampleModel, model],
  MODEL_FORWARD_ONLY: [byScores, otherAttack],
  IMAGE_SIZE: [fit],
  LABEL_RANGE: [label],
  PARAMETER_INVALID: [defaults],
  UNKNOWN_ID: [otherAttack],
  DEFENSE_INVALID: [bare],
  RUN_INVALID: [again],
  ENGINE_EXITED: [],
};
const after: Partial<Record<ErrorCode, readonly Remedy[]>> = {
  MODEL_FORWARD_ONLY: [model],
  MODEL_INVALID: [model],
  MODEL_NAN: [probe, edit, model],
  FILE_NOT_FOUND: [model],
  KERNEL_UNSUPPORTED: [model],
  ENGINE_EXITED: [again],
};

/** An error as a card of the Inspector, with what the Inspector can do about it. @param id the card that it is of; left out, the attack's */
export function inspectorError(thrown: unknown, id?: CardId): PanelError {
  const { code, fix: advice = "", message } = toErrorData(thrown);
  const isModel = code === "MODEL_INVALID";
  const isNames = isModel && /names \d+ classes|names the class/.test(message);
  const isContract = isModel && /input contract|\.bulwark\.json/.test(`${message} ${advice}`);
  const ofContract = [...(isNames ? [classNames] : []), ...(isContract ? [edit, ...(isNames ? [] : [probe]), again] : [])];
  const plain = (remedies: readonly Remedy[] = []): PanelAction[] => remedies.map(({ label: text, id }) => ({ label: text, id }));
  return panelError(thrown, plain(ofContract.length > 0 ? ofContract : ((id && ofCard[id]?.[code]) ?? before[code])), plain(after[code]));
}

/** Applies a way out that is the Inspector's own; false for any other. */
export async function applyRemedy(session: Session, id: string): Promise<boolean> {
  const remedy = all.find((one) => one.id === id);
  await remedy?.apply(session);
  return remedy !== undefined;
}
