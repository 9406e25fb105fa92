import type { DefendedSide, DefenseResult } from "../../../src/shared/cards.ts";
import { epsilon } from "../../../src/shared/format.ts";
import type { InspectorIntent } from "../../../src/shared/panels.ts";
import { fileUrl } from "../../lib/connect.ts";
import { defenseChain } from "../../lib/defenseChain.ts";
import { h, onChange, type Part, setText, show } from "../../lib/dom.ts";
import { createPicture, type Picture } from "../../lib/image.ts";
import { createLoupe } from "../../lib/loupe.ts";
import { loadPixels } from "../../lib/pixels.ts";
import { button, section } from "../../lib/ui.ts";
import { cardStatus } from "../card.ts";
import { type Context, outcome, scoreText, shownOf } from "../model.ts";

/** What is changed is computed when the changes pause. */
const pauseMilliseconds = 250;

/** Defences in front of the model: both pictures as the network sees them behind, and its predictions without and with the defences. */
export function defense(send: (intent: InspectorIntent) => void): Part<Context> {
  let context: Context | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const fault = h("p", { class: "muted", attributes: { "aria-live": "polite" } });
  const ask = (): void => {
    clearTimeout(timer);
    setText(fault, chain.fault() ?? "");
    if (!context || chain.fault() !== null || chain.chain.length === 0) return;
    const iteration = context.state.result ? shownOf(context.state, context.local.scrub).iteration : null;
    send({ kind: "card", id: "defense", params: { defenses: [...chain.chain], iteration } });
  };
  const chain = defenseChain(() => {
    clearTimeout(timer);
    timer = setTimeout(ask, pauseMilliseconds);
    context?.set({});
  });
  const status = cardStatus("defense", "Applying the defences", send);
  const through = button(
    "Attack through these",
    () => context && send({ kind: "rerun", attack: context.state.attack, defenses: [...chain.chain] }),
    { icon: "shield", label: "Attack the image again, through these defences and with knowledge of them" },
  );
  const sides = [sidePicture("Clean"), sidePicture("Adversarial")] as const;
  const pictures = h("div", { class: "picture-row two" }, ...sides.map((side) => side.element));
  const words = h("p", { attributes: { "aria-live": "polite" } });
  const note = h("p", { class: "muted" });
  const say = onChange((result: DefenseResult | null) => {
    setText(words, result ? outcome(result) : "");
    setText(
      note,
      result?.adversarial ? "The attack did not know these defences. Only an attack through them tells what they are worth." : "",
    );
  });
  const shown = h("div", { class: "stack" }, pictures, words, note);
  const element = section("Defence in front", false, chain.element, fault, status.element, shown, h("div", { class: "buttons" }, through));
  return {
    element,
    update(next) {
      context = next;
      const { state } = next;
      const card = state.cards.defense;
      chain.update({ catalog: state.catalog, chain: chain.chain.length > 0 ? chain.chain : (card?.params.defenses ?? []) });
      status.update(card);
      const result = chain.chain.length > 0 ? (card?.result ?? null) : null;
      show(shown, result !== null);
      shown.classList.toggle("stale", card?.status === "running");
      show(through, state.model.path !== "" && state.status !== "running" && chain.chain.length > 0);
      sides[0].update({ side: result?.clean ?? null, base: state.base });
      sides[1].update({ side: result?.adversarial ?? null, base: state.base });
      say(result);
    },
  };
}

interface Side {
  readonly side: DefendedSide | null;
  readonly base: string;
}
function sidePicture(name: string): Part<Side> {
  const picture: Picture = createPicture(createLoupe());
  const prediction = h("strong", {});
  const facts = h("p", { class: "muted small" });
  const element = h("figure", {}, h("figcaption", {}, h("span", {}, `${name}, defended`), prediction), picture.element, facts);
  const draw = onChange((side: DefendedSide | null, base: string) => {
    show(element, side !== null);
    if (!side) return;
    const text = scoreText(side.behind);
    setText(prediction, text);
    prediction.title = text;
    setText(facts, `Largest change by the defence: ${epsilon(side.change)}`);
    void loadPixels(fileUrl(base, side.transformed)).then(
      (pixels) => picture.draw([{ pixels, opacity: 1 }], `${name} image as the network sees it behind the defence: ${text}`),
      () => picture.draw(null, `${name} image, missing`),
    );
  });
  return { element, update: ({ side, base }) => draw(side, base) };
}
