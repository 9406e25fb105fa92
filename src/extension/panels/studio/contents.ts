import * as vscode from "vscode";
import type { StudioPlace } from "../../../shared/patchStudio.ts";
import { requests } from "../../../shared/protocol.ts";
import { panelError } from "../../messages.ts";
import { change, type Session, save, uriOf } from "./session.ts";
import { place } from "./tasks.ts";

/** Class names come with the model, and loading it now makes the first prediction fast. */
export async function loadClasses(session: Session): Promise<void> {
  const { tryModel } = session.state.settings;
  if (tryModel === "" || !vscode.workspace.isTrusted) return;
  try {
    const { classes } = await session.services.engine.request(requests.warmUp, { model: tryModel });
    if (session.state.settings.tryModel === tryModel) change(session, { classes, error: null });
  } catch (thrown) {
    change(session, { classes: [], error: panelError(thrown) });
  }
}

export const placeOf = (session: Session, image: string, placement: StudioPlace["placement"]): StudioPlace => ({
  image,
  uri: uriOf(session, image),
  placement,
  status: "done",
  result: null,
  shown: null,
  error: null,
});

export async function useImage(session: Session, image: string): Promise<void> {
  change(session, { place: placeOf(session, image, null) });
  await save(session);
  await place(session, null);
}
