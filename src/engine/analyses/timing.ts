import { Type } from "@sinclair/typebox";
import type { Column, ForwardTiming } from "../../shared/results.ts";
import { defineAnalysis } from "../define/analysis.ts";
import { int } from "../define/index.ts";
import { roleOf } from "./papers/paper0/roles.ts";

const milliseconds = (name: string, key: keyof ForwardTiming): readonly [Column, keyof ForwardTiming] => [
  { name, format: "milliseconds" },
  key,
];
const times = [
  milliseconds("median", "forwardMilliseconds"),
  milliseconds("95th percentile", "p95Milliseconds"),
  milliseconds("median without volumizer", "networkMilliseconds"),
  milliseconds("95th percentile without volumizer", "networkP95Milliseconds"),
  milliseconds("median of the defences in front", "frontMilliseconds"),
  milliseconds("95th percentile of the defences in front", "frontP95Milliseconds"),
];

/**
 * Time of a single-image forward pass, with and without the volumizer (paper 0, Table 7), and of the defences in front alone (paper 1,
 * Figure 3). A column without any value is left out.
 */
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
    const lines = arms.map(({ report, data }) => ({ report, time: data as ForwardTiming }));
    const undefended = lines.find(({ report }) => roleOf(report.defense) === "undefended")?.time;
    const shown = times.filter(([, key]) => lines.some(({ time }) => time[key] !== undefined));
    const table = {
      title: "Milliseconds per image",
      columns: [
        { name: "arm", format: "text" },
        { name: "model", format: "text" },
        ...shown.map(([column]) => column),
        { name: "median, times the undefended", format: "number" },
      ] satisfies Column[],
      rows: lines.map(({ report, time }) => [
        report.name,
        report.model.id,
        ...shown.map(([, key]) => time[key] ?? null),
        undefended ? time.forwardMilliseconds / undefended.forwardMilliseconds : null,
      ]),
    };
    return {
      title: "Inference time",
      charts: [],
      tables: [table],
      notes: [`${passes} single-image forward passes after ${warmUps} that do not count, each until its scores could be read.`],
    };
  },
});
