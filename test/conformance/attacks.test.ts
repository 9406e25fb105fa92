import { attacks } from "../../src/engine/registry.ts";
import { attackConformance } from "./attackSuite.ts";

attackConformance(attacks);
