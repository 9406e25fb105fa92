import type { Inspected } from "../../../../shared/cards.ts";
import { cardProgress } from "../../../../shared/protocol.ts";
import type { Services } from "../../../services.ts";
import type { CardTask } from "./index.ts";

/** Makes a request whose progress is shown. @param request gets the token that its progress bears */
export async function toldOn<R>(
  services: Services,
  { run, folder }: Inspected,
  tell: CardTask<"attention">["tell"],
  request: (token: string) => Promise<R>,
): Promise<R> {
  const token = `${run}/${folder}`;
  const listener = (await services.engine.get()).onProgress(cardProgress, token, tell);
  try {
    return await request(token);
  } finally {
    listener.dispose();
  }
}
