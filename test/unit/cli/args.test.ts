import "../../../src/engine/backends/cpu.ts";
import { describe, expect, it } from "vitest";
import { Args } from "../../../src/cli/args.ts";
import { tableText } from "../../../src/cli/print.ts";
import { isVerb } from "../../../src/cli/usage.ts";

describe("words of the command line", () => {
  it("are read by the schema of the parameter", () => {
    const args = new Args("attack", ["--set", "eps=8/255", "--set", "steps=40", "--set", "randomStart=false", "--set", "nonsense=a=b"]);
    expect(args.params("attack", "pgd")).toEqual({ eps: 8 / 255, steps: 40, randomStart: false, nonsense: "a=b" });
  });

  it("name a list of defences, each setting meant for the one before it", () => {
    const words = ["--defense", "medianFilter", "--model", "m", "--defense-set", "window=5", "--defense=bitDepth", "--defense-set=depth=1"];
    expect(new Args("attack", [...words, "--defense", "bitDepth"]).chain("defense")).toEqual([
      { id: "medianFilter", params: { window: 5 } },
      { id: "bitDepth", params: { depth: 1 } },
      { id: "bitDepth", params: {} },
    ]);
    expect(new Args("attack", []).chain("defense")).toEqual([]);
    const early = new Args("attack", ["--defense-set", "depth=1", "--defense", "bitDepth"]);
    expect(() => early.chain("defense")).toThrow("--defense-set depth=1 comes before any --defense.");
  });

  it("after --image are further images, where a verb takes several, and no others", () => {
    for (const verb of ["attack", "predict", "defend", "detect"] as const) {
      const args = new Args(verb, ["--image", "a.png", "b.png", "c.jpg", "--limit", "2", "--image=d.png", "e.png"]);
      expect(args.all("image")).toEqual(["a.png", "b.png", "c.jpg", "d.png", "e.png"]);
      expect(args.positionals).toEqual([]);
      expect(() => new Args(verb, ["--image", "a.png", "--seed", "1", "b.png"])).toThrow(`${verb} does not take "b.png".`);
      expect(() => new Args(verb, ["a.png", "--image", "b.png"])).toThrow(`${verb} does not take "a.png".`);
    }
    const pasted = new Args("patch", ["preview", "patch.png", "--image", "a.png", "b.png"]);
    expect([pasted.positionals, pasted.all("image")]).toEqual([
      ["preview", "patch.png"],
      ["a.png", "b.png"],
    ]);
    const turned = new Args("patch", ["preview", "--image", "a.png", "patch.png"]);
    expect([turned.positionals, turned.all("image")]).toEqual([["preview", "patch.png"], ["a.png"]]);
    expect(() => new Args("explain", ["--image", "a.png", "b.png"])).toThrow('explain does not take "b.png".');
    expect(new Args("attack", []).all("image")).toEqual([]);
  });

  it("may be fractions and below zero", () => {
    const args = new Args("patch", ["apply", "patch.png", "--row", "8.5", "--rotation=-20"]);
    expect([args.number("row"), args.number("rotation"), args.number("scale")]).toEqual([8.5, -20, undefined]);
  });

  it("name the verb's own usage when they are wrong", () => {
    const wrong: (readonly [() => unknown, RegExp])[] = [
      [() => new Args("run", []), /run needs EXPERIMENT/],
      [() => new Args("run", ["a", "b"]), /does not take "b"/],
      [() => new Args("doctor", ["--nope"]), /--nope/],
      [() => new Args("attack", ["--limit", "-3"]).integer("limit", 1), /--?limit/],
      [() => new Args("attack", ["--limit=2.5"]).integer("limit", 1), /--limit is "2.5"/],
      [() => new Args("patch", ["apply"]), /patch needs PATCH/],
      [() => new Args("patch", ["apply", "p", "--scale", "much"]).number("scale"), /--scale is "much" but must be a number/],
      [() => new Args("patch", ["apply", "p", "--scale="]).number("scale"), /--scale is ""/],
      [() => new Args("attack", ["--split", "all"]).oneOf("split", ["test", "train"], "test"), /--split is "all"/],
      [() => new Args("attack", ["--set", "eps"]).params("attack", "pgd"), /key=value/],
      [() => new Args("attack", []).required("model"), /--model is missing/],
    ];
    for (const [act, message] of wrong) {
      expect(act).toThrow(expect.objectContaining({ code: "USAGE", message: expect.stringMatching(message) }));
    }
  });

  it("are verbs only where they are meant to be", () => {
    expect([isVerb("attack"), isVerb("toString"), isVerb("atack")]).toEqual([true, false, false]);
  });
});

describe("a table on a terminal", () => {
  it("sets numbers to the right and words to the left", () => {
    const lines = tableText(
      ["arm", "clean"],
      [
        ["undefended", "98.0 %"],
        ["v", "9.5 %"],
      ],
    ).split("\n");
    expect(lines).toEqual(["arm          clean", "──────────  ──────", "undefended  98.0 %", "v            9.5 %"]);
  });
});
