import { Type } from "@sinclair/typebox";
import { BulwarkError } from "../../shared/errors.ts";
import type { ScatterFigure } from "../../shared/figures/figure.ts";
import { attackLabel } from "../../shared/labels.ts";
import type { RunContext } from "../context.ts";
import { type AnalysedArm, type AnalysisSubject, defineAnalysis, type FurtherAttack, type Presentation } from "../define/analysis.ts";
import { int, text } from "../define/index.ts";
import { nearestNeighbourAccuracy, silhouette } from "../metrics/separation.ts";
import { tsne as layOut, squaredDistances, tsneDefaults } from "../metrics/tsne.ts";
import { attackNamed } from "./attackNamed.ts";
import { chosenClasses, featureDistances, layersShown, type Shown } from "./features.ts";

/** The layout of one layer's features. */
interface LayerLayout {
  readonly layer: string;
  /** Numbers of one image. */
  readonly size: number;
  /** Of the features themselves, and of the points of the picture. */
  readonly features: Separation;
  readonly picture: Separation;
  readonly divergence: number;
  readonly points: readonly (readonly [x: number, y: number])[];
}
interface Separation {
  readonly neighbours: number;
  readonly silhouette: number | null;
}
interface LayoutData {
  readonly attack: string;
  readonly classes: readonly [string, string];
  readonly shown: readonly Shown[];
  /** Pictures of the attacked images that are shown, in their order and as many as fit: files of the run folder. */
  readonly pictures: readonly string[];
  readonly layers: readonly LayerLayout[];
  /** Layers whose features did not fit, with their size. */
  readonly leftOut: readonly { readonly layer: string; readonly size: number }[];
}

const params = Type.Object({
  attack: text("fgsm", "Attack whose images are shown: an id, or the key of one of this experiment's attacks, whose settings are kept."),
  classes: Type.Array(Type.Integer({ minimum: 0 }), {
    default: [],
    maxItems: 2,
    description: "Numbers of two classes; two at random when left out.",
  }),
  images: int(200, "At most so many images of each class.", { min: 5, max: 500, unit: "images" }),
  layers: Type.Array(Type.String(), {
    default: [],
    description: "Layers whose outputs are laid out; the first convolution and two hidden dense layers when left out.",
  }),
  perplexity: int(tsneDefaults.perplexity, "Neighbours that a point keeps close; fewer where there are few images.", { min: 2, max: 100 }),
  iterations: int(tsneDefaults.iterations, "Iterations of the layout.", { min: 250, max: 5000 }),
});

/** Paper 4, Figure 5: two classes under attack as layers see them, laid out in the plane by t-SNE, with figures of how far they are apart. */
export const tsne = defineAnalysis({
  id: "tsne",
  title: "Features of two classes (t-SNE)",
  paper: "Ranjan et al. 2017",
  params,
  check({ classes }) {
    if (classes.length === 1 || (classes.length === 2 && classes[0] === classes[1]))
      throw new BulwarkError(
        "PARAMETER_INVALID",
        "tsne shows two different classes.",
        'Write for example "classes": [3, 8], or leave it out.',
      );
  },
  attacks({ attack }, facts): FurtherAttack[] {
    const { key, id, params: settings } = attackNamed(attack, facts);
    return [{ id, params: settings, key: `${key}-shown`, images: 0 }];
  },
  async measure(subject, { classes, images, layers, perplexity, iterations }, ctx): Promise<LayoutData> {
    const [attack] = subject.further;
    if (!attack) throw new Error("the attack that this analysis asked for was not made");
    const pair = chosenClasses(subject.model, attack.records, classes, ctx.rng);
    const shown = pair.flatMap((label) => attack.records.filter((record) => record.label === label).slice(0, images));
    const names = layersShown(subject.model, layers);
    const [found, leftOut]: [LayerLayout[], { layer: string; size: number }[]] = [[], []];
    for (const layer of names) {
      const distances = await featureDistances(subject, attack.key, shown, layer, ctx);
      if (distances.squared === null) leftOut.push({ layer, size: distances.size });
      else found.push(await layoutOf(layer, distances.squared, distances.size, { shown, perplexity, iterations }, ctx));
    }
    return {
      attack: attackLabel(attack.summary),
      classes: pair.map((label) => subject.model.classNames[label] ?? String(label)) as [string, string],
      shown: shown.map(({ index, label, prediction }) => ({ index, label, prediction })),
      pictures: await drawn(subject, attack.key, shown, ctx),
      layers: found,
      leftOut,
    };
  },
  present: (arms) => presentLayouts(arms),
});

/** Pixels of all pictures of one arm: every image of a small set, some eighty photographs. */
const mostPixels = 4e6;

async function drawn(subject: AnalysisSubject, key: string, shown: readonly Shown[], ctx: RunContext): Promise<string[]> {
  const [height, width] = subject.model.inputShape;
  const source = subject.images(key);
  const files: string[] = [];
  for (const { index } of shown.slice(0, Math.floor(mostPixels / (height * width)))) {
    files.push(await subject.draw(`tsne-${index}`, (await source.read(index, index + 1)).images));
    await ctx.checkpoint();
  }
  return files;
}

async function layoutOf(
  layer: string,
  squared: Float64Array,
  size: number,
  { shown, perplexity, iterations }: { readonly shown: readonly Shown[]; readonly perplexity: number; readonly iterations: number },
  ctx: RunContext,
): Promise<LayerLayout> {
  const n = shown.length;
  const classes = shown.map(({ label }) => label);
  const phase = `Laying out ${layer}`;
  const { points, divergences } = await layOut(squared, n, ctx.rng.stream(`layout/${layer}`), {
    ...tsneDefaults,
    iterations,
    perplexity: Math.max(1, Math.min(perplexity, Math.floor((n - 1) / 3))),
    onIteration: (done) => ctx.checkpoint({ phase, done, total: iterations }),
  });
  const separation = (distances: Float64Array): Separation => ({
    neighbours: nearestNeighbourAccuracy(distances, classes),
    silhouette: silhouette(distances, classes),
  });
  return {
    layer,
    size,
    features: separation(squared),
    picture: separation(squaredDistances(points, n)),
    divergence: divergences[1],
    points: Array.from({ length: n }, (_, i) => [points[2 * i] as number, points[2 * i + 1] as number] as const),
  };
}

function presentLayouts(arms: readonly AnalysedArm[]): Presentation {
  const shown = arms.map(({ report, data }) => ({ name: report.name, data: data as LayoutData }));
  const leftOut = shown.flatMap(({ name, data }) => data.leftOut.map(({ layer, size }) => `${name}, ${layer} (${size} numbers an image)`));
  const attack = shown[0]?.data.attack ?? "the attack";
  const [first, second] = shown[0]?.data.classes ?? ["", ""];
  return {
    title: `${first} and ${second} under ${attack}, as layers see them`,
    charts: [],
    figures: shown.flatMap(({ name, data }) => data.layers.map((layer) => figureOf(arms.length > 1 ? `${name}, ` : "", layer, data))),
    tables: [
      {
        title: "How far the two classes are apart",
        columns: [
          { name: "network", format: "text" },
          { name: "layer", format: "text" },
          { name: "numbers", format: "count" },
          { name: "images", format: "count" },
          { name: "nearest neighbour of the same class", format: "percent" },
          { name: "silhouette", format: "number" },
          { name: "nearest neighbour, in the picture", format: "percent" },
          { name: "silhouette, in the picture", format: "number" },
        ],
        rows: shown.flatMap(({ name, data }) =>
          data.layers.map(({ layer, size, features, picture }) => [
            name,
            layer,
            size,
            data.shown.length,
            features.neighbours,
            features.silhouette,
            picture.neighbours,
            picture.silhouette,
          ]),
        ),
      },
    ],
    notes: [
      "Each point is an image after the attack. The axes have no unit: t-SNE keeps neighbours close, and distances between heaps say nothing.",
      "The figures of the features are measured on the layer itself, before anything is laid out. Silhouette: 1 for classes far apart, 0 for mixed ones.",
      ...(leftOut.length > 0
        ? [`Left out, since more than 1 GB of features: ${leftOut.join("; ")}. Ask for fewer "images" or other "layers".`]
        : []),
    ],
  };
}

function figureOf(prefix: string, { layer, points }: LayerLayout, { classes, shown, pictures }: LayoutData): ScatterFigure {
  const labels = [...new Set(shown.map(({ label }) => label))];
  return {
    kind: "scatter",
    title: `${prefix}${layer}`,
    x: { label: "first coordinate", format: "number" },
    y: { label: "second coordinate", format: "number" },
    series: labels.map((label, i) => ({
      label: classes[i] ?? String(label),
      colour: i,
      points: shown.flatMap((image, at) => {
        const [x, y] = points[at] ?? [0, 0];
        const said = `image ${image.index}: ${classes[i] ?? label}${image.prediction === label ? "" : ", fooled"}`;
        const picture = pictures[at];
        return image.label === label ? [{ x, y, label: said, ...(picture === undefined ? {} : { picture }) }] : [];
      }),
    })),
  };
}
