import { Type } from "@sinclair/typebox";
import { BulwarkError } from "../../shared/errors.ts";
import { type AnalysisPart, defineAnalysis } from "../define/analysis.ts";
import { type Bound, bool, type Explanation, entryOf, int } from "../define/index.ts";
import { type MapShard, mapsOf, type StudyData, studyOf } from "./attentionOverlap.ts";
import { presentStudy } from "./attentionReport.ts";
import { type SuperpixelImage, superpixelStudies, superpixelsOf } from "./attentionSuperpixels.ts";

const params = Type.Object({
  method: entryOf("explanation", { kind: "gradCam" }, "Explanation whose maps are compared, each on the class that is predicted."),
  cells: Type.Array(Type.Integer({ minimum: 1, maximum: 64 }), {
    default: [5, 10, 20, 30],
    description: "Sizes of the attention area in cells of an 8×8 grid; on another grid the same share of its cells.",
  }),
  superpixels: entryOf(
    "explanation",
    { kind: "lime", features: 1000 },
    "Explanation by superpixels, whose areas are compared too where superpixelImages is above 0.",
  ),
  features: Type.Array(Type.Integer({ minimum: 1 }), {
    default: [8, 10],
    description: "Sizes of those areas: so many superpixels of the largest positive weights.",
  }),
  superpixelImages: int(
    0,
    "Explain the first so many images by superpixels, which takes a thousand passes for each and attack; 0 for none.",
    {
      min: 0,
      unit: "images",
      standIn: { words: "none", first: 20 },
    },
  ),
  shareSegments: bool(false, "The attacked image is explained by the superpixels of the clean one, not by its own."),
});

const [mapPart, superpixelPart] = ["maps", "superpixels"];

/** Whether attention looks at the object, and whether it stays where it was under attack: images that are fooled beside those that are not (paper 2, Section 3). */
export const attentionStudy = defineAnalysis({
  id: "attentionStudy",
  title: "Attention under attack",
  paper: "Wu et al. 2022",
  params,
  check({ cells, features }, { attacks }) {
    if (attacks.length === 0)
      throw new BulwarkError(
        "EXPERIMENT_INVALID",
        "attentionStudy compares attention before and after an attack, and the experiment has none.",
        'Add one to "attacks", such as {"kind": "fgsm"}.',
      );
    for (const [name, values] of Object.entries({ cells, features }))
      if (values.length === 0 || new Set(values).size < values.length)
        throw new BulwarkError(
          "PARAMETER_INVALID",
          `attentionStudy: ${name} must hold each value once, and at least one.`,
          "Write for example [5, 10].",
        );
  },
  explanations: (p) => [p.method, ...(p.superpixelImages > 0 ? [p.superpixels] : [])].map(({ entry }) => entry as Explanation),
  parts({ method, superpixels, features, superpixelImages, shareSegments: isShared }) {
    const [maps, areas] = [method, superpixels] as [Bound<Explanation>, Bound<Explanation>];
    const byMap: AnalysisPart = {
      name: mapPart,
      evaluations: maps.entry.evaluations(maps.params),
      measure: (subject, range, ctx) => mapsOf(subject, maps, range, ctx),
    };
    if (superpixelImages === 0) return [byMap];
    return [
      byMap,
      {
        name: superpixelPart,
        images: superpixelImages,
        evaluations: areas.entry.evaluations(areas.params),
        measure: (subject, range, ctx) => superpixelsOf(subject, { method: areas, features, isShared }, range, ctx),
      },
    ];
  },
  async measure(subject, { cells, features, superpixelImages }): Promise<StudyData> {
    const data = await studyOf(subject, cells, (await subject.shards(mapPart)) as MapShard[]);
    if (superpixelImages === 0) return data;
    const found = ((await subject.shards(superpixelPart)) as SuperpixelImage[][]).flat();
    return { ...data, superpixels: superpixelStudies(subject, features, found) };
  },
  ledger: (data) => Object.fromEntries((data as StudyData).attacks.map(({ key, overlap }) => [`${key}/attentionIoU`, overlap])),
  present: (arms, { method, superpixels, cells }) =>
    presentStudy(arms, { title: method.entry.title, ofSuperpixels: superpixels.entry.title, wanted: cells }),
});
