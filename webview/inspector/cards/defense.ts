import type { CardState, DefendedSide, DefenseParams, DefenseResult } from "../../../src/shared/cards.ts";
import { cividis } from "../../../src/shared/colour.ts";
import { capital, pixelChange } from "../../../src/shared/format.ts";
import type { InspectorIntent } from "../../../src/shared/panels.ts";
import { fileUrl } from "../../lib/connect.ts";
import { defenseChain } from "../../lib/defenseChain.ts";
import { fill, h, onChange, type Part, setText, show } from "../../lib/dom.ts";
import { colourMap, legend } from "../../lib/heatmap.ts";
import { createPicture, type Picture } from "../../lib/image.ts";
import { createLoupe, type Loupe } from "../../lib/loupe.ts";
import { oneAtATime } from "../../lib/oneAtATime.ts";
import { fromBytes, loadPixels } from "../../lib/pixels.ts";
import { button, enable, faultLine, section } from "../../lib/ui.ts";
import { cardStatus } from "../card.ts";
import { type Context, outcome, scoreText, shownOf } from "../model.ts";
import { predictionText } from "../prediction.ts";

/**
 * Defences in front of the model, tuned live: both pictures as the network sees them behind, the maps that the defences went by, and the
 * predictions without and with them.
 */
export function defense(send: (intent: InspectorIntent) => void): Part<Context> {
  let context: Context | null = null;
  const fault = faultLine();
  const live = oneAtATime<DefenseParams>((params) => send({ kind: "card", id: "defense", params }));
  const ask = (): void => {
    if (!context || chain.fault() !== null) return;
    const iteration = context.state.result ? shownOf(context.state, context.local.scrub).iteration : null;
    live.want({ defenses: [...chain.chain], iteration });
  };
  /** Once the user has changed the list it stays theirs, even if empty; before that it mirrors the host's last request. */
  let isOwn = false;
  const chain = defenseChain(() => {
    isOwn = true;
    ask();
    // The frame that passes messages on to the host shares this thread: the request leaves before anything is drawn.
    setTimeout(() => context?.set({}));
  });
  const status = cardStatus("defense", "Applying the defences", send);
  const through = button(
    "Attack through these",
    () => context && send({ kind: "rerun", attack: context.state.attack, defenses: [...chain.chain] }),
    { icon: "shield", label: "Attack the image again, through these defences and with knowledge of them" },
  );
  const shown = results();
  const mark = earlierMark(shown.element);
  const element = section(
    "Try a defence",
    false,
    chain.element,
    fault.element,
    status.element,
    shown.element,
    h("div", { class: "buttons" }, through),
  );
  return {
    element,
    update(next) {
      context = next;
      const { state } = next;
      const card = state.cards.defense;
      chain.update({ catalog: state.catalog, chain: isOwn ? chain.chain : (card?.params.defenses ?? []) });
      if (card && card.status !== "running") live.answered(card.params);
      status.update(card);
      const result = chain.chain.length > 0 ? (card?.result ?? null) : null;
      show(shown.element, result !== null);
      fault.update(chain.fault());
      mark(chain.fault() !== null, card?.status);
      show(through, state.model.path !== "" && state.status !== "running" && chain.chain.length > 0);
      enable(through, chain.fault() === null);
      shown.update({ result, base: state.base });
    },
  };
}

interface Results {
  readonly result: DefenseResult | null;
  readonly base: string;
}
/** Both pictures behind the defences, and the outcome in words. */
function results(): Part<Results> {
  const loupe = createLoupe();
  const sides = [sidePicture("Clean", loupe), sidePicture("Adversarial", loupe)] as const;
  const scale = legend(cividis, "Colours of the maps");
  scale.label("0", "0.5", "1");
  const pictures = h("div", { class: "picture-row two" }, ...sides.map((side) => side.element));
  const words = h("p", { attributes: { "aria-live": "polite" } });
  const note = h("p", { class: "muted" });
  const say = onChange((result: DefenseResult | null) => {
    setText(words, result ? outcome(result) : "");
    show(scale.element, (result?.clean.maps ?? []).length > 0);
    setText(
      note,
      result?.adversarial ? "The attack did not know these defences. Only an attack through them tells what they are worth." : "",
    );
  });
  return {
    element: h("div", { class: "stack" }, pictures, scale.element, words, note),
    update({ result, base }) {
      sides[0].update({ side: result?.clean ?? null, base });
      sides[1].update({ side: result?.adversarial ?? null, base });
      say(result);
    },
  };
}

/** Dims results of earlier settings, and says so where no new ones are on their way. */
function earlierMark(shown: HTMLElement): (isWrong: boolean, status: CardState["status"] | undefined) => void {
  const words = h("p", { class: "muted" }, "Pictures and predictions below are from the earlier settings.");
  shown.prepend(words);
  return (isWrong, status) => {
    const isLeft = isWrong || status === "failed" || status === "cancelled";
    show(words, isLeft);
    shown.classList.toggle("stale", isLeft || status === "running");
  };
}

interface Side {
  readonly side: DefendedSide | null;
  readonly base: string;
}
function sidePicture(name: string, loupe: Loupe): Part<Side> {
  const picture: Picture = createPicture(loupe);
  const prediction = predictionText();
  const facts = h("p", { class: "muted small" });
  const maps = mapPictures(name, loupe);
  const head = h("figure", {}, h("figcaption", {}, h("span", {}, `${name}, defended`), prediction.element), picture.element, facts);
  const element = h("div", { class: "stack" }, head, maps.element);
  let shown: DefendedSide | null = null;
  /** Draws the picture first, because whoever moves a slider watches it. Maps load once it is painted, unless a newer picture has arrived. */
  const load = async (side: DefendedSide, base: string, text: string): Promise<void> => {
    const pixels = await loadPixels(fileUrl(base, side.transformed)).catch(() => null);
    if (side !== shown) return;
    if (pixels) picture.draw([{ pixels, opacity: 1 }], `${name} image as the network sees it behind the defence: ${text}`);
    else picture.draw(null, `${name} image, missing`);
    await painted();
    if (side === shown) maps.update({ side, base });
  };
  const draw = onChange((side: DefendedSide | null, base: string) => {
    shown = side;
    show(element, side !== null);
    if (!side) return;
    const text = scoreText(side.behind);
    prediction.update(side.behind);
    setText(facts, `Largest change by the defence: ${pixelChange(side.change)}`);
    void load(side, base, text);
  });
  return { element, update: ({ side, base }) => draw(side, base) };
}

/** Resolves once everything drawn so far is on the screen. */
const painted = (): Promise<void> => new Promise((next) => requestAnimationFrame(() => setTimeout(next)));

/** The maps that the defences went by, a picture each; made again only when there are others. */
function mapPictures(side: string, loupe: Loupe): Part<Side> {
  const element = h("div", { class: "stack" });
  let pictures: readonly Picture[] = [];
  /** Address drawn in each picture. */
  let drawn: string[] = [];
  const build = onChange((key: string) => {
    const names: string[] = JSON.parse(key);
    pictures = names.map(() => createPicture(loupe));
    drawn = [];
    fill(element, ...names.map((name, i) => h("figure", {}, h("figcaption", {}, h("span", { title: name }, name)), pictures[i]?.element)));
  });
  return {
    element,
    update({ side: defended, base }) {
      const maps = defended?.maps ?? [];
      const isOne = new Set(maps.map((map) => map.defense)).size < 2;
      build(JSON.stringify(maps.map(({ name, defense: title }) => capital(isOne ? name : `${title}: ${name}`))));
      for (const [i, { name, defense: title, file }] of maps.entries()) {
        const picture = pictures[i];
        const url = fileUrl(base, file);
        if (drawn[i] === url) continue;
        drawn[i] = url;
        void loadPixels(url).then(
          ({ data, width, height }) => {
            if (!data || drawn[i] !== url) return;
            const pixels = fromBytes(colourMap(data), width, height);
            picture?.draw([{ pixels, opacity: 1 }], `${side} image, map of ${title}: ${name}, from 0 to 1`);
          },
          () => drawn[i] === url && picture?.draw(null, `${side} image, map missing`),
        );
      }
    },
  };
}
