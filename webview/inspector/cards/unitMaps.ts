import { cividis } from "../../../src/shared/colour.ts";
import type { DetectedSide, DetectionResult } from "../../../src/shared/detectionCards.ts";
import { capital, number, percent } from "../../../src/shared/format.ts";
import { inertTexts } from "../../../src/shared/sampledUnits.ts";
import { fileUrl } from "../../lib/connect.ts";
import { fill, h, onChange, type Part, setText, show } from "../../lib/dom.ts";
import { dataTable } from "../../lib/facts.ts";
import { legend, strongest } from "../../lib/heatmap.ts";
import { createPicture } from "../../lib/image.ts";
import { createLoupe, type Loupe } from "../../lib/loupe.ts";
import { loadPixels, type Pixels } from "../../lib/pixels.ts";
import { dropdown, icon, slider } from "../../lib/ui.ts";
import { probabilityText, unitFacts } from "../detection.ts";

interface Shown {
  readonly result: DetectionResult;
  readonly base: string;
  /** The second picture: "adversarial", "iteration 12". */
  readonly attacked: string;
}

/** Where a detector samples: of one layer at a time, the probability of each place over both pictures, and how much is kept. */
export function unitMaps(): Part<Shown> {
  let shown: Shown | null = null;
  let unit = 0;
  let opacity = 0.7;
  const choice = dropdown("Sampled layer", (value) => {
    unit = Number(value);
    draw();
  });
  const fade = slider("Opacity of the sampling probabilities", { min: 0, max: 1, step: 0.05, value: opacity }, (value) => {
    opacity = value;
    draw();
  });
  const loupe = createLoupe();
  const sides = [sidePicture(loupe), sidePicture(loupe)] as const;
  const pictures = h("div", { class: "picture-row two" }, ...sides.map((side) => side.element));
  const fadeField = h("label", { class: "field" }, h("span", { class: "field-name" }, "Overlay opacity"), fade.element);
  const facts = unitText();
  const element = h(
    "section",
    { class: "stack", attributes: { "aria-label": "Sampling probabilities" } },
    h("h2", {}, "Where the detector samples"),
    h("div", { class: "toolbar" }, choice.element, fadeField),
    pictures,
    facts.element,
  );
  const draw = (): void => {
    if (!shown) return;
    const { result, base, attacked } = shown;
    const { units } = result.clean;
    show(element, units.length > 0);
    unit = Math.min(unit, Math.max(0, units.length - 1));
    choice.set(
      units.map(({ layer }, i) => ({ value: String(i), text: layer })),
      String(unit),
    );
    fade.set(opacity, percent(opacity));
    for (const part of [pictures, fadeField]) show(part, units[unit]?.map !== null);
    facts.update({ result, unit });
    sides[0].update({ side: result.clean, unit, base, name: "clean", opacity });
    sides[1].update({ side: result.adversarial, unit, base, name: attacked, opacity });
  };
  return {
    element,
    update(next) {
      shown = next;
      draw();
    },
  };
}

const anew = "This detector draws anew in each pass, so that there is no probability of each place to show.";
const notOnPicture = "The grid of this layer is not the picture's, so that its probabilities cannot be drawn over it.";

/** The scale of the maps, and what there is to say of a unit in words and numbers. */
function unitText(): Part<{ readonly result: DetectionResult; readonly unit: number }> {
  const scale = legend(cividis, "Colours of the sampling probabilities");
  const text = h("p", { class: "muted small" });
  const table = h("div");
  const inert = h("div", { class: "stack" });
  const write = onChange(({ clean, adversarial, largest }: DetectionResult, at: number) => {
    const [one, other] = [clean.units[at], adversarial?.units[at]];
    if (!one) return;
    const end = largest[at] ?? 0;
    scale.label("0", number(end / 2), `${number(end)} a draw`);
    show(scale.element, one.map !== null);
    setText(text, one.map !== null ? probabilityText(one, end) : end > 0 ? notOnPicture : anew);
    const warnings = [...new Set([...inertTexts([one]), ...inertTexts(other ? [other] : [])])];
    fill(inert, ...warnings.map((words) => h("p", {}, icon("warning"), ` ${words}`)));
    fill(table, dataTable(`Sampling of ${one.layer}`, [one.layer, "Clean", ...(other ? ["Adversarial"] : [])], unitFacts(one, other)));
  });
  return {
    element: h("div", { class: "stack" }, scale.element, text, inert, table),
    update: ({ result, unit }) => write(result, unit),
  };
}

interface Side {
  readonly side: DetectedSide | null;
  readonly unit: number;
  readonly base: string;
  readonly name: string;
  readonly opacity: number;
}
/** One picture under the map of one unit. */
function sidePicture(loupe: Loupe): Part<Side> {
  const picture = createPicture(loupe);
  const caption = h("span");
  const element = h("figure", {}, h("figcaption", {}, caption), picture.element);
  let wanted = "";
  let layers: readonly [Pixels, Pixels] | null = null;
  const paint = ({ name, opacity, side, unit }: Side): void => {
    const layer = side?.units[unit]?.layer ?? "";
    if (!layers) picture.draw(null, `Sampling probabilities over the ${name} image, missing`);
    else
      picture.draw(
        layers.map((pixels, i) => ({ pixels, opacity: i === 0 ? 1 : opacity })),
        `Sampling probabilities of ${layer} over the ${name} image, largest at ${strongest(layers[1])}`,
      );
  };
  return {
    element,
    update(next) {
      const map = next.side?.units[next.unit]?.map ?? null;
      show(element, next.side !== null && map !== null);
      setText(caption, capital(next.name));
      if (!next.side || map === null) return;
      const urls = [fileUrl(next.base, next.side.image), fileUrl(next.base, map)] as const;
      const key = urls.join(" ");
      if (key === wanted) {
        paint(next);
        return;
      }
      wanted = key;
      void Promise.all([loadPixels(urls[0]), loadPixels(urls[1])]).then(
        (loaded) => {
          if (key !== wanted) return;
          layers = loaded;
          paint(next);
        },
        () => {
          if (key !== wanted) return;
          layers = null;
          paint(next);
        },
      );
    },
  };
}
