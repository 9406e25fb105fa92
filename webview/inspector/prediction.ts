import { probability } from "../../src/shared/format.ts";
import type { ClassScore } from "../../src/shared/protocol.ts";
import { fill, h, type Part } from "../lib/dom.ts";
import { scoreText } from "./model.ts";

/** "English springer (0.812)" beside the name of a picture: where there is no room, the class name is cut and the score never is. */
export function predictionText(): Part<ClassScore | null> {
  const element = h("strong", { class: "prediction" });
  return {
    element,
    update(score) {
      element.title = score ? scoreText(score) : "";
      if (!score) fill(element);
      else
        fill(
          element,
          h("span", { class: "class-name" }, score.name),
          h("span", { class: "score" }, ` (${probability(score.probability)})`),
        );
    },
  };
}
