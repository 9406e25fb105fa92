import { requests } from "../../../../shared/protocol.ts";
import { chooseCleanImages } from "../../../cleanImages.ts";
import { rootFolder } from "../../../workspace.ts";
import type { CardKind } from "./index.ts";
import { toldOn } from "./progress.ts";

/** Scores of clean images, which a detector's threshold is chosen on. */
export const calibration: CardKind<"calibration"> = {
  async ask({ services, inspected, params, signal, tell }) {
    const { detector, images } = params;
    const data = params.data ?? (await chooseCleanImages(services, inspected.model));
    const workspace = rootFolder(inspected.image);
    return toldOn(services, inspected, tell, async (token) => {
      const request = { ...inspected, detector, data, limit: images, workspace, token };
      return { params: { ...params, data }, result: await services.engine.request(requests.calibrateDetector, request, signal) };
    });
  },
  pictures: () => [],
  isOpen: ({ data }) => data === null,
  again: () => undefined,
  isOfModel: true,
};
