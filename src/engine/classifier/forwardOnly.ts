import { BulwarkError } from "../../shared/errors.ts";
import { type Attack, needsGradients, type Params } from "../define/index.ts";

/** Why a model gives scores and no gradients. */
export interface ForwardOnly {
  /** Name of its file. */
  readonly file: string;
  /** A clause: "its file has a node "sample" of the operator GridSample (opset 16), which cannot be differentiated here". */
  readonly reason: string;
  /** What to do to get gradients. */
  readonly fix: string;
}
/** What may be a model that gives scores only. */
interface Asked {
  readonly forwardOnly?: ForwardOnly | undefined;
}

/** @param what needs gradients, as a subject: "Grad-CAM" @throws MODEL_FORWARD_ONLY */
export function requireGradients({ forwardOnly }: Asked, what: string, fix = forwardOnly?.fix): void {
  if (!forwardOnly) return;
  const { file, reason } = forwardOnly;
  throw new BulwarkError("MODEL_FORWARD_ONLY", `${what} needs gradients, and ${file} gives scores only: ${reason}.`, fix);
}

/** Attacks that ask for scores alone. */
export const byScores = "Use nPixel or sparseRs.";

/** Refuses an attack that prepares something by gradients, such as a patch that is trained. @throws MODEL_FORWARD_ONLY */
export function requirePreparation({ title, preparation }: Attack, params: Params, model: Asked): void {
  if ((preparation?.evaluations(params).gradient ?? 0) > 0) requireGradients(model, `The ${preparation?.noun} of ${title}`, byScores);
}

/** Refuses an attack that needs gradients of a model that has none. @throws MODEL_FORWARD_ONLY */
export function requireAccess(attack: Attack, params: Params, model: Asked): void {
  if (needsGradients(attack, params)) requireGradients(model, attack.title, byScores);
}
