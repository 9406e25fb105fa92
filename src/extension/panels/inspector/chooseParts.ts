import { requests } from "../../../shared/protocol.ts";
import { type AttackChoice, askAttack, askForModel, firstAttack, lastAttack, rememberAttack, scoresAttack } from "../../choose.ts";
import { sampleOf } from "../../samples.ts";
import { attack, redo } from "./attack.ts";
import { requestOf, type Session } from "./session.ts";

/** Another model for the picture: what is on show is done again with it, by the attack that was last chosen for it. @throws CANCELLED */
export const chooseModel = async (session: Session): Promise<void> => useModel(session, await askForModel(session.services));

/** Attacks the picture with the small photo network that comes with Bulwark: a way out where the folder holds no model. */
export const attackWithSample = async (session: Session): Promise<void> => {
  const { model } = sampleOf(session.services.context.extensionPath, "photos");
  await attack(session, { ...requestOf(session), model, attack: await firstAttack(model) });
};

async function useModel(session: Session, model: string): Promise<void> {
  const { services, state } = session;
  const chosen = lastAttack(services, model) ?? (await firstAttack(model));
  const request = { image: session.image, model, attack: chosen, defenses: state.defenses };
  if (state.status === "idle") void services.engine.request(requests.warmUp, { model }).catch(() => undefined); // what is wrong is said when it is used
  await redo(session, request);
}

/** What was refused, or found, of the model on show says that it gives scores only. */
const isForwardOnly = ({ error, result }: Session["state"]): boolean =>
  error?.error.code === "MODEL_FORWARD_ONLY" || (result?.findings.some(({ rule }) => rule === "RB114") ?? false);

/** The first attack of a model that gives scores only. */
export async function attackByScores(session: Session): Promise<void> {
  const { services, state } = session;
  const { inputShape } = await services.engine.request(requests.inspectModel, { model: state.model.path });
  await attackBy(session, scoresAttack(inputShape.slice(1)));
}

/** Another attack, with the parameters that were last chosen for the model. @throws CANCELLED */
export async function chooseAttack(session: Session): Promise<void> {
  const { services, state } = session;
  await attackBy(session, await askAttack(services, state.model.path, isForwardOnly(state)));
}

async function attackBy(session: Session, chosen: AttackChoice): Promise<void> {
  rememberAttack(session.services, chosen, session.state.model.path);
  await attack(session, { ...requestOf(session), attack: chosen });
}
