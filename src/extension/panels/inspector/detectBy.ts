import type { DetectionParams } from "../../../shared/detectionCards.ts";
import { runCard } from "./runCard.ts";
import type { Session } from "./session.ts";

/** The detector that works for any model. */
export const detectBySoftmax = (session: Session): Promise<unknown> => detectBy(session, "softmaxEntropy");

/** The detector that was asked for, with its default parameters. */
export const detectByDefaults = (session: Session): Promise<unknown> =>
  detectBy(session, session.state.cards.detection?.params.detector.id ?? "softmaxEntropy");

function detectBy(session: Session, id: string): Promise<unknown> {
  const asked: Omit<DetectionParams, "detector"> = session.state.cards.detection?.params ?? {
    iteration: null,
    threshold: { falsePositiveRate: 0.05 },
  };
  return runCard(session, "detection", { ...asked, detector: { id, params: {} } });
}
