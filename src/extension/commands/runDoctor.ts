import { doctorPanel } from "../panels/doctor.ts";
import type { Services } from "../services.ts";

/** What was found on this machine, what was chosen, and why. */
export const runDoctor = async (services: Services): Promise<unknown> => (await doctorPanel.find(services, null)).examine();
