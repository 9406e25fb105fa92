import { Type } from "@sinclair/typebox";
import { defineTrainingDefense } from "../define/index.ts";

/** The undefended network: cross-entropy on clean images. What defences are compared with. */
export const standard = defineTrainingDefense({
  id: "standard",
  title: "No defence",
  paper: "",
  params: Type.Object({}),
  plan: (base) => base,
});
