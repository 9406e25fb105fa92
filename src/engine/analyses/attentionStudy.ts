import { Type } from "@sinclair/typebox";
import { BulwarkError } from "../../shared/errors.ts";
import { defineAnalysis } from "../define/analysis.ts";
import { type Bound, type Explanation, entryOf } from "../define/index.ts";
import { type StudyData, studyOf } from "./attentionOverlap.ts";
import { presentStudy } from "./attentionTables.ts";

const params = Type.Object({
  method: entryOf("explanation", { kind: "gradCam" }, "Explanation whose maps are compared, each on the class that is predicted."),
  cells: Type.Array(Type.Integer({ minimum: 1, maximum: 64 }), {
    default: [5, 10, 20, 30],
    description: "Sizes of the attention area in cells of an 8×8 grid; on another grid the same share of its cells.",
  }),
});

/** Whether attention looks at the object, and whether it stays where it was under attack: images that are fooled beside those that are not (paper 2, Section 3). */
export const attentionStudy = defineAnalysis({
  id: "attentionStudy",
  title: "Attention under attack",
  paper: "Wu et al. 2022",
  params,
  check({ cells }, { attacks }) {
    if (attacks.length === 0)
      throw new BulwarkError(
        "EXPERIMENT_INVALID",
        "attentionStudy compares attention before and after an attack, and the experiment has none.",
        'Add one to "attacks", such as {"kind": "fgsm"}.',
      );
    if (cells.length === 0 || new Set(cells).size < cells.length)
      throw new BulwarkError(
        "PARAMETER_INVALID",
        "attentionStudy: cells must hold each value once, and at least one.",
        "Write for example [5, 10, 20, 30].",
      );
  },
  explanations: ({ method }) => [method.entry as Explanation],
  measure: (subject, { method, cells }, ctx): Promise<StudyData> => studyOf(subject, { method: method as Bound<Explanation>, cells }, ctx),
  ledger: (data) => Object.fromEntries((data as StudyData).attacks.map(({ key, overlap }) => [`${key}/attentionIoU`, overlap])),
  present: (arms, { method, cells }) => presentStudy(arms, { title: method.entry.title, wanted: cells }),
});
