import { errorCard } from "../../lib/cards.ts";
import { fill, h, onChange, type Part, setText, show } from "../../lib/dom.ts";
import { count, number } from "../../lib/format.ts";
import { button, dropdown, section } from "../../lib/ui.ts";
import type { Context } from "../model.ts";
import { numberField } from "./setup.ts";

type Upscaling = "nearest" | "smooth";
type Background = "transparent" | "white";

/** The patch as a PNG for paper, and where its files lie. */
export function print(): Part<Context> {
  let context: Context | null = null;
  const wish: { centimetres: number; dpi: number; upscaling: Upscaling; background: Background } = {
    centimetres: 5,
    dpi: 300,
    upscaling: "nearest",
    background: "white",
  };
  const length = numberField(
    "longer side (cm)",
    0.1,
    200,
    (value) => {
      wish.centimetres = value;
    },
    false,
  );
  const dpi = numberField("dots per inch", 1, 2400, (value) => {
    wish.dpi = value;
  });
  const upscaling = dropdown("enlarged", (value) => {
    wish.upscaling = value === "smooth" ? "smooth" : "nearest";
  });
  const background = dropdown("around a disc", (value) => {
    wish.background = value === "transparent" ? "transparent" : "white";
  });
  const fault = h("p", { class: "muted", attributes: { "aria-live": "polite" } });
  const go = button(
    "Export for print…",
    () => {
      const problem = length.fault() ?? dpi.fault();
      setText(fault, problem ?? "");
      if (!problem) context?.send({ kind: "export", ...wish });
    },
    { icon: "save-as", appearance: "primary" },
  );
  const done = h("p", { attributes: { "aria-live": "polite" } });
  const error = errorCard({ fix: (id) => context?.send({ kind: "fix", id }), showLog: () => context?.send({ kind: "showLog" }) });
  const files = h("ul", { class: "files plain stack" });
  const list = onChange((key: string) => {
    fill(
      files,
      ...key.split("\n").map((file) => {
        const reveal = button("Show", () => context?.send({ kind: "reveal", file }), {
          icon: "folder-opened",
          label: `Show ${file} in the explorer`,
        });
        return h("li", {}, h("code", {}, file), reveal);
      }),
    );
  });
  const tools = h("div", { class: "toolbar studio-toolbar" }, length.element, dpi.element, upscaling.element, background.element, go);
  return {
    element: section("Print and files", false, tools, fault, error.element, done, h("h3", {}, "Files"), files),
    update(next) {
      context = next;
      const { patch, exported } = next.state;
      length.set(wish.centimetres);
      dpi.set(wish.dpi);
      upscaling.set(
        [
          { value: "nearest", text: "pixels as squares" },
          { value: "smooth", text: "smooth" },
        ],
        wish.upscaling,
      );
      background.set(
        [
          { value: "white", text: "white paper" },
          { value: "transparent", text: "nothing" },
        ],
        wish.background,
      );
      error.update(exported?.error ?? null);
      const result = exported?.result;
      show(done, Boolean(result));
      if (result) {
        const [high, wide] = result.centimetres;
        setText(
          done,
          `Saved ${result.file}: ${number(wide)} × ${number(high)} cm, ${count(result.pixels[1])} × ${count(result.pixels[0])} pixels at ${result.dpi} dpi. Print it without fitting it to the page.`,
        );
      }
      if (patch) list([...patch.files, ...(result ? [result.file] : [])].join("\n"));
    },
  };
}
