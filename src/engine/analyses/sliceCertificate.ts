import { Type } from "@sinclair/typebox";
import type { ArmCertificate } from "../../shared/certificate.ts";
import { BulwarkError } from "../../shared/errors.ts";
import type { AnalysisTable, Column, TableCell } from "../../shared/results.ts";
import type { Classifier } from "../classifier/classifier.ts";
import { defineAnalysis, type ExperimentFacts, type FurtherAttack } from "../define/analysis.ts";
import { int, type SliceFacts, text } from "../define/index.ts";
import { certifiedImages } from "../evaluation/certified.ts";
import { point } from "./columns.ts";

/** What was proven of an arm, and what the attack that tried has left right. */
export interface CertificateData {
  readonly certificate: ArmCertificate;
  readonly tried: { readonly correct: number; readonly n: number; readonly label?: string | undefined } | null;
}
export const certificateOf = (data: unknown): CertificateData => data as CertificateData;

const counts = (description: string, value: number[]) => Type.Array(Type.Integer({ minimum: 1 }), { default: value, description });

const params = Type.Object({
  slices: counts("Numbers of slices whose content is free; none more than an arm has.", [1, 2, 4]),
  patches: counts("Sides in pixels of square patches that may lie anywhere.", [1, 5]),
  attack: text(
    "lavan",
    "Attack that tries beside the proof: the key of one of this experiment's attacks, as it is there, or another's id (lavan is then put inside one slice); empty for none.",
  ),
  images: int(0, "The attack is made on the first so many test images; 0 for all. The proof is always about all.", {
    min: 0,
    unit: "images",
    standIn: { words: "all", first: 100 },
  }),
});

/**
 * Share of images whose class no content of any K slices can change, by proof: at depth 1, where slices are judged
 * independently, and under an aggregate that bounds what one of them can do. The attack beside it must not do what is proven impossible.
 */
export const sliceCertificate = defineAnalysis({
  id: "sliceCertificate",
  title: "Certificate over slices",
  paper: "Levine & Feizi 2020; for the volumes of Ghebrechristos & Alaghband 2024",
  params,
  check({ slices, patches }) {
    for (const [name, values] of Object.entries({ slices, patches }))
      if (new Set(values).size < values.length) throw invalid(`${name} must hold each value once`, "Write for example [1, 2, 4].");
    if (slices.length === 0) throw invalid("slices must hold at least one value", "Write for example [1, 2, 4].");
  },
  checkNetworks({ slices, attack, images }, networks, facts) {
    const most = Math.max(0, ...networks.map((network) => network.slices?.count ?? 0));
    const largest = Math.max(...slices);
    if (most > 0 && largest > most)
      throw invalid(`slices holds ${largest}, and no network has more than ${most} slices`, `Use numbers from 1 to ${most}.`);
    if (attack === "" || ownAttack(attack, facts)) return;
    const { grid } = triedBy(attack, images, facts).params;
    if (typeof grid !== "number") return;
    const wrong = networks.find((network) => network.slices && !isInside(grid, network.slices));
    if (wrong?.slices)
      throw invalid(
        `noise inside cells of ${grid}×${grid} pixels does not lie inside one slice of ${wrong.arm}, whose slices are ${wrong.slices.side.join("×")}`,
        'Compare arms whose slices lie in one grid, or set "attack" to "" and leave the attack out.',
      );
  },
  attacks: ({ attack, images }, facts) => (attack === "" ? [] : [triedBy(attack, images, facts)]),
  async measure(subject, { slices, patches }, ctx): Promise<CertificateData> {
    const [further] = subject.further;
    const tried = further ? { correct: further.summary.attacked.correct, n: further.summary.n, label: further.summary.label } : null;
    const unavailable = whyNone(subject.model);
    if (unavailable !== null) return { certificate: { unavailable }, tried };
    return { certificate: await certifiedImages(subject, { slices, patches }, ctx), tried };
  },
  ledger: (data): Readonly<Record<string, readonly number[]>> => {
    const { certificate } = certificateOf(data);
    return "images" in certificate ? { certifiedSlices: certificate.images } : {};
  },
  certificate: (data) => certificateOf(data).certificate,
  present(arms, { slices, patches, attack }, facts) {
    const lines = arms.map(({ report, data }) => ({ name: report.name, ...certificateOf(data) }));
    const name = attack === "" ? null : (lines.find(({ tried }) => tried?.label)?.tried?.label ?? attackName(attack, facts));
    return {
      title: "What is proven",
      charts: [chartOf(lines)],
      tables: [tableOf(lines, { slices, patches, attack: name })],
      notes: [
        "Certified with K slices: the share of all test images that are classified correctly and whose class no content of any K slices can change. It is a proof about this network, not the result of an attack, so it holds against every attack that stays within K slices. Content of a slice is all its pixels: where slices overlap, those that show one of them change with it.",
        "A patch anywhere: the same for any content of a square of that side, wherever it lies; a patch touches every slice that shows one of its pixels. Nothing is said of changes that reach more slices, such as noise over the whole image.",
        ...(name
          ? ["No image may be certified and broken all the same: every attack of the run is held against the proof, image by image."]
          : []),
        ...notesOf(lines),
      ],
    };
  },
});

type Line = CertificateData & { readonly name: string };

const invalid = (message: string, fix: string): BulwarkError => new BulwarkError("PARAMETER_INVALID", `sliceCertificate: ${message}.`, fix);

/** The experiment's own attack of that name, which is used unchanged. */
const ownAttack = (name: string, { attacks }: ExperimentFacts) => attacks.find(({ key, id }) => key === name || id === name);

function triedBy(name: string, images: number, facts: ExperimentFacts): FurtherAttack {
  const own = ownAttack(name, facts);
  const suffix = images > 0 ? `-first-${images}` : "";
  if (own) return { id: own.id, params: own.params, key: `${own.key}${suffix}`, images };
  facts.attackParams(name); // UNKNOWN_ID where there is none
  return { id: name, params: name === "lavan" ? { place: "slice", ...gridOf(facts) } : {}, key: `${name}-slice${suffix}`, images };
}

/**
 * The largest grid whose every cell lies inside one slice of every arm that cuts slices. Where its side would be less than half that of the
 * smallest slices it is their side instead, which `checkNetworks` refuses.
 */
function gridOf({ arms }: ExperimentFacts): { readonly grid?: number } {
  const cuts = arms.flatMap(({ defenses }) =>
    defenses.flatMap(({ params: { patch, stride } }) => {
      if (typeof patch !== "number") return [];
      const step = typeof stride === "number" && stride > 0 ? stride : patch;
      return [{ side: [patch, patch], stride: [step, step] } as const];
    }),
  );
  if (cuts.length === 0) return {};
  const smallest = Math.min(...cuts.map(({ side: [height] }) => height));
  const sides = Array.from({ length: smallest - Math.ceil(smallest / 2) + 1 }, (_, i) => smallest - i);
  return { grid: sides.find((grid) => cuts.every((cut) => isInside(grid, cut))) ?? smallest };
}

/**
 * Every cell of a grid lies inside one slice: along each axis a cell begins at most stride − gcd(grid, stride) pixels after the last slice
 * that begins before it.
 */
const isInside = (grid: number, { side, stride }: Pick<SliceFacts, "side" | "stride">): boolean =>
  stride.every((step, axis) => step - gcd(grid, step) + grid <= (side[axis] as number));

const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b));

function attackName(name: string, facts: ExperimentFacts): string {
  const own = ownAttack(name, facts);
  return facts.attackTitle(own?.id ?? name);
}

/** Why nothing is proven of a model; null where something can be. */
function whyNone({ slices, front, contract, isMultiLabel }: Classifier): string | null {
  const [inFront] = front ?? [];
  if (inFront) return `${inFront.title} in front may carry content from slice to slice`;
  if (!slices) return "the network judges the image as a whole";
  if (slices.reach > 1) return `one slice reaches ${slices.reach} of ${slices.count}`;
  if (slices.aggregate === "sumLog") return "with aggregate sumLog a single slice can outvote all others";
  if ((contract.output?.labelOffset ?? 0) > 0 || isMultiLabel)
    return "the slices share their probabilities with outputs that are not classes";
  return null;
}

const shareOf = (correct: number | null | undefined, n: number): number | null =>
  correct === null || correct === undefined || n === 0 ? null : correct / n;

function tableOf(
  lines: readonly Line[],
  o: { readonly slices: readonly number[]; readonly patches: readonly number[]; readonly attack: string | null },
): AnalysisTable {
  const columns: Column[] = [
    { name: "arm", format: "text" },
    { name: "images", format: "count" },
    ...o.slices.map((K): Column => ({ name: `certified, ${K} ${K === 1 ? "slice" : "slices"}`, format: "percent" })),
    ...o.patches.map((side): Column => ({ name: `certified, ${side}×${side} px anywhere`, format: "percent" })),
    ...(o.attack ? [{ name: `accuracy under ${o.attack}`, format: "percent" } as const] : []),
  ];
  const rows = lines.map(({ name, certificate, tried }): TableCell[] => {
    const proven = "images" in certificate ? certificate : null;
    return [
      name,
      proven?.n ?? null,
      ...o.slices.map((K) => shareOf(proven?.slices.find((one) => one.slices === K)?.correct, proven?.n ?? 0)),
      ...o.patches.map((side) => shareOf(proven?.patches.find((one) => one.side === side)?.correct, proven?.n ?? 0)),
      ...(o.attack ? [shareOf(tried?.correct, tried?.n ?? 0)] : []),
    ];
  });
  return { title: "Certified accuracy", columns, rows };
}

const chartOf = (lines: readonly Line[]) => ({
  title: "Certified accuracy over the number of slices",
  x: { label: "slices whose content is free", format: "count" as const },
  y: { label: "certified accuracy", format: "percent" as const, range: [0, 1] as const },
  series: lines.flatMap(({ name, certificate }, colour) => {
    if (!("images" in certificate)) return [];
    const { n, slices } = certificate;
    const points = slices.flatMap(({ slices: K, correct }) => (correct === null ? [] : [point(K, correct, n)]));
    return points.length === 0 ? [] : [{ label: name, colour, points: [...points].sort((a, b) => a.x - b.x) }];
  }),
});

/** Of each arm: why it has no certificate, or how many slices a patch touches, where patches are asked for. */
const notesOf = (lines: readonly Line[]): string[] =>
  lines.flatMap(({ name, certificate }) => {
    if (!("images" in certificate)) return [`${name}: no certificate: ${certificate.unavailable}.`];
    const touched = certificate.patches.map(({ side, touches }) => `a ${side}×${side} patch touches up to ${touches}`);
    return touched.length === 0 ? [] : [`${name}: ${touched.join(", ")} of its slices.`];
  });
