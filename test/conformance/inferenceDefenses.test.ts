import { defenses } from "../../src/engine/registry.ts";
import { defenseConformance } from "./defenseSuite.ts";

defenseConformance(defenses.filter((entry) => entry.kind === "inference"));
