import { Type } from "@sinclair/typebox";
import type { ForwardTiming } from "../../shared/results.ts";
import { defineAnalysis } from "../define/analysis.ts";
import { int } from "../define/index.ts";
import { roleOf } from "./papers/paper0/roles.ts";

/** Paper 0, Table 7: time of a single-image forward pass, the volumizer in and out. */
export const timing = defineAnalysis({
  id: "timing",
  title: "Inference time",
  paper: "Ghebrechristos & Alaghband 2024",
  params: Type.Object({
    passes: int(50, "Timed forward passes of one image.", { min: 50, max: 100_000 }),
    warmUps: int(10, "Warm-up passes before them.", { min: 10, max: 10_000 }),
  }),
  measure: (subject, { passes, warmUps }) => subject.time(passes, warmUps),
  present(arms, { passes, warmUps }) {
    const undefended = arms.find(({ report }) => roleOf(report.defense) === "undefended")?.data as ForwardTiming | undefined;
    return {
      title: "Inference time",
      charts: [],
      tables: [
        {
          title: "Milliseconds per image",
          columns: [
            { name: "arm", format: "text" },
            { name: "model", format: "text" },
            { name: "median", format: "milliseconds" },
            { name: "95th percentile", format: "milliseconds" },
            { name: "median without volumizer", format: "milliseconds" },
            { name: "95th percentile without volumizer", format: "milliseconds" },
            { name: "median, times the undefended", format: "number" },
          ],
          rows: arms.map(({ report, data }) => {
            const t = data as ForwardTiming;
            return [
              report.name,
              report.model.id,
              t.forwardMilliseconds,
              t.p95Milliseconds ?? null,
              t.networkMilliseconds ?? null,
              t.networkP95Milliseconds ?? null,
              undefended ? t.forwardMilliseconds / undefended.forwardMilliseconds : null,
            ];
          }),
        },
      ],
      notes: [`${passes} single-image forward passes after ${warmUps} that do not count, each until its scores could be read.`],
    };
  },
});
