import { BulwarkError } from "../shared/errors.ts";
import { type DoctorReport, requests } from "../shared/protocol.ts";
import type { Services } from "./services.ts";

/**
 * What was found on this machine. Where the backend or the device that is set cannot start, a process with plain JavaScript looks: the
 * doctor is what the error sends people to.
 */
export async function examine(services: Services): Promise<DoctorReport> {
  try {
    return await services.engine.request(requests.doctor, {});
  } catch (thrown) {
    if (!(thrown instanceof BulwarkError && ["BACKEND_UNAVAILABLE", "PARAMETER_INVALID"].includes(thrown.code))) throw thrown;
  }
  const process = await services.startProcess({ backend: "cpu", device: "auto" });
  try {
    return await process.request(requests.doctor, {});
  } finally {
    process.kill();
  }
}
