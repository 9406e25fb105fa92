import { type FitRule, fitRules, fitTitles } from "../../../shared/fit.ts";
import { pick, rememberFit } from "../../choose.ts";
import { redo } from "./attack.ts";
import { requestOf, type Session, set } from "./session.ts";

/** Asks how a picture of another size is brought to the model's. @throws CANCELLED */
export async function chooseFit(session: Session): Promise<void> {
  const items = fitRules.filter((rule) => rule !== "none").map((rule) => ({ label: fitTitles[rule], rule }));
  await setFit(session, (await pick(items, "How is a picture of another size fitted?")).rule);
}

/** The picture fitted by another rule, from now on for all pictures of this model: what is on show is done again. */
export async function setFit(session: Session, fit: FitRule): Promise<void> {
  const { state, services } = session;
  rememberFit(services, state.model.path, fit);
  set(session, { fit });
  await redo(session, requestOf(session));
}
