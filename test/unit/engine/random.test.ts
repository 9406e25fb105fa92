import { describe, expect, it } from "vitest";
import { createRandom } from "../../../src/engine/random.ts";

describe("random words", () => {
  it("are what next gives, times 2³², and leave the stream where as many calls of it would", () => {
    const [one, other] = [createRandom("s"), createRandom("s")];
    for (const n of [1, 0, 700]) {
      const words = new Uint32Array(n);
      one.words(words);
      expect([...words]).toEqual(Array.from(words, () => other.next() * 2 ** 32));
      expect(one.next()).toBe(other.next());
    }
  });
});
