import { requests } from "../../../shared/protocol.ts";
import { lastFirst, pick } from "../../choose.ts";
import { attack } from "./attack.ts";
import { type ChosenLabel, writeRequest } from "./file.ts";
import { requestOf, type Session, set } from "./session.ts";

/** Asks for the true class from a list that can be searched, by name and by index. @throws CANCELLED */
export async function chooseLabel(session: Session): Promise<void> {
  const names = await classNames(session);
  const { result } = session.state;
  const now = result?.labelKnown ? result.label.index : null;
  const none = { label: "No label", detail: "Attack the model's own prediction.", index: null, name: "" };
  const items = names.map((name, index) => ({
    label: name,
    description: [name === String(index) ? "" : `class ${index}`, index === now ? "now" : ""].filter(Boolean).join(" · "),
    index,
    name,
  }));
  const { index, name } = await pick([none, ...lastFirst(items, (item) => item.index === now)], "Which class does the picture show?");
  await setLabel(session, { index, name });
}

/** Of a result all classes are there; else the engine is asked, which loads the model. */
async function classNames({ state, services }: Session): Promise<readonly string[]> {
  if (state.result) return [...state.result.before.scores].sort((a, b) => a.index - b.index).map(({ name }) => name);
  return (await services.engine.request(requests.warmUp, { model: state.model.path })).classes;
}

/** The picture is judged by another label: at once where the attack that is there was made, anew where it had nothing to do or will aim elsewhere. */
export async function setLabel(session: Session, label: ChosenLabel): Promise<void> {
  set(session, { label });
  const { result } = session.state;
  if (!result) return;
  const wasMade = result.target || result.label.index === result.before.prediction.index;
  if (label.index === null || !wasMade) {
    await attack(session, requestOf(session));
    return;
  }
  const { directory } = session;
  const judged = await session.services.engine.request(requests.labelRun, { directory, label: label.index });
  if (session.directory !== directory) return;
  await writeRequest(directory, requestOf(session));
  set(session, { result: judged });
  session.services.runs.refresh();
}
