import { describe, expect, it } from "vitest";
import { rb209 } from "../../../../src/engine/rules/rb209.ts";
import { records } from "../analyses/fixtures.ts";

describe("RB209", () => {
  it("fires where a grey patch breaks as much as the patch, or more", () => {
    const finding = rb209(records("rrrbb"), records("rrbrb"));
    expect(finding).toMatchObject({ rule: "RB209", severity: "warning" });
    expect(finding?.message).toContain("breaks 2 images, a grey one at the same places 2.");
    expect(rb209(records("rrrrb"), records("rrbbb"))?.message).toContain("breaks 1 image, a grey one at the same places 3.");
  });

  it("does not where the patch breaks more, or where neither breaks any", () => {
    expect(rb209(records("rrbbb"), records("rrrbb"))).toBeNull();
    expect(rb209(records("rrr"), records("rrr"))).toBeNull();
    expect(rb209([], [])).toBeNull();
  });
});
