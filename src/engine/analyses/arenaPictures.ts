import type { PicturesFigure } from "../../shared/figures/figure.ts";
import { percent } from "../../shared/format.ts";
import { forImages } from "../classifier/streams.ts";
import type { RunContext } from "../context.ts";
import type { AnalysedArm, AnalysisSubject } from "../define/analysis.ts";
import { predictWithConfidence } from "../harness/predict.ts";
import { type Images, tf } from "../tf.ts";

/** An image behind an arm's defences, and what the network says of it. Files are relative to the run folder. */
interface Shown {
  readonly file: string;
  readonly className: string;
  readonly confidence: number;
  readonly isRight: boolean;
  readonly maps: readonly { readonly name: string; readonly file: string; readonly mean: number }[];
}
export interface ShownImage {
  readonly index: number;
  readonly className: string;
  readonly clean: Shown;
  /** Null without attacks. */
  readonly attacked: Shown | null;
}

/** The first images as an arm's network gets them, without an attack and with the images of one: those made without any defence where there are. */
export async function picturesOf(
  subject: AnalysisSubject,
  { images, attackKey }: { readonly images: number; readonly attackKey: string | null },
  ctx: RunContext,
): Promise<ShownImage[]> {
  const clean = subject.images(null);
  const attacked = attackKey === null ? null : subject.staticImages(attackKey);
  const shown: ShownImage[] = [];
  for (let index = 0; index < Math.min(images, clean.n); index++) {
    const { images: pixels, labels } = await clean.read(index, index + 1);
    const label = labels[0] ?? 0;
    const one = (name: string, values: Float32Array): Promise<Shown> => transformed(subject, { values, index, label, name }, ctx);
    shown.push({
      index,
      className: subject.model.classNames[label] ?? String(label),
      clean: await one(`arena-${index}-clean`, pixels),
      attacked: attacked ? await one(`arena-${index}-${attackKey}`, (await attacked.read(index, index + 1)).images) : null,
    });
    await ctx.checkpoint();
  }
  return shown;
}

interface One {
  readonly values: Float32Array;
  readonly index: number;
  readonly label: number;
  readonly name: string;
}

async function transformed(subject: AnalysisSubject, { values, index, label, name }: One, ctx: RunContext): Promise<Shown> {
  const model = forImages(subject.model, ctx.rng, index);
  const { classes, confidence } = await predictWithConfidence(model, values);
  const prediction = classes[0] ?? -1;
  const maps: Shown["maps"][number][] = [];
  let x: Images = tf.tensor4d(values, [1, ...model.inputShape]);
  try {
    for (const [place, { transform, maps: inside }] of (model.front ?? []).entries()) {
      for (const [title, map] of Object.entries(inside(x))) {
        const seen = Float32Array.from(await map.data());
        map.dispose();
        const file = await subject.draw(`${name}-${place}-${title}`, seen, "map");
        maps.push({ name: title, file, mean: seen.reduce((sum, value) => sum + value, 0) / seen.length });
      }
      const before = x;
      x = tf.tidy(() => transform(before).clone());
      before.dispose();
    }
    const file = await subject.draw(name, Float32Array.from(await x.data()));
    const className = model.classNames[prediction] ?? String(prediction);
    return { file, className, confidence: confidence[0] ?? Number.NaN, isRight: prediction === label, maps };
  } finally {
    x.dispose();
  }
}

const across = 3;

/** For each image, what every arm makes of it side by side: clean, attacked, and the maps that its defences went by. */
export function pictureFigures(arms: readonly AnalysedArm[], attack: string | null): PicturesFigure[] {
  const rows = arms.map(({ report, data }) => ({ name: report.name, images: (data as readonly ShownImage[] | null) ?? [] }));
  const [first] = rows;
  return (first?.images ?? []).flatMap(({ index, className }, place) => {
    const of = (part: (image: ShownImage) => Shown | null) =>
      rows.flatMap(({ name, images }) => {
        const image = images[place];
        const shown = image && part(image);
        return shown ? [{ name, shown }] : [];
      });
    const what = `Image ${index}, label ${className}`;
    return [
      gridOf(
        `${what}, without attack`,
        of(({ clean }) => clean),
      ),
      gridOf(
        `${what}, ${attack ?? "attacked"}`,
        of(({ attacked }) => attacked),
      ),
      mapsOf(
        `${what}, what the defences went by`,
        rows.flatMap(({ name, images }) => {
          const { clean, attacked } = images[place] ?? {};
          return [...mapRow(name, "without attack", clean), ...mapRow(name, attack ?? "attacked", attacked)];
        }),
      ),
    ].filter(({ rows: drawn }) => drawn.length > 0);
  });
}

function gridOf(title: string, shown: readonly { readonly name: string; readonly shown: Shown }[]): PicturesFigure {
  const pictures = shown.map(({ name, shown: { file, className, confidence, isRight } }) => ({
    href: file,
    text: `${name}: says ${className}, ${percent(confidence, 0)}${isRight ? "" : ", wrong"}`,
  }));
  const rows = Array.from({ length: Math.ceil(pictures.length / across) }, (_, i) => pictures.slice(i * across, (i + 1) * across));
  return { kind: "pictures", title, columns: [], rows: rows.map((row) => ({ label: "", pictures: row })) };
}

interface MapRow {
  readonly arm: string;
  readonly what: string;
  readonly maps: Shown["maps"];
}
const mapRow = (arm: string, what: string, shown: Shown | null | undefined): MapRow[] =>
  shown && shown.maps.length > 0 ? [{ arm, what, maps: shown.maps }] : [];

/** Arms whose defences went by the same maps, such as one defence at several strengths, share a row. */
function mapsOf(title: string, found: readonly MapRow[]): PicturesFigure {
  const groups = new Map<string, { readonly row: MapRow; readonly arms: string[] }>();
  for (const row of found) {
    const key = JSON.stringify([row.what, row.maps.map(({ name, mean }) => [name, mean])]);
    const group = groups.get(key) ?? { row, arms: [] };
    group.arms.push(row.arm);
    groups.set(key, group);
  }
  return {
    kind: "pictures",
    title,
    columns: [],
    rows: [...groups.values()].map(({ row, arms }) => ({
      label: `${arms.join(", ")}: ${row.what}`,
      pictures: row.maps.map(({ name, file, mean }) => ({ href: file, text: `${name}, mean ${percent(mean)}` })),
    })),
  };
}
