import { Type } from "@sinclair/typebox";
import { defineMeasure } from "../define/index.ts";
import { meanSquaredError } from "./squaredError.ts";

/** Mean over all values of the squared difference in bytes: [0, 65025]. */
export const mse = defineMeasure({
  id: "mse",
  title: "Mean squared error",
  paper: "Ghebrechristos & Alaghband 2024, Table 1",
  kind: "distance",
  params: Type.Object({}),
  measure: (a, b) => meanSquaredError("mse", a, b),
});
