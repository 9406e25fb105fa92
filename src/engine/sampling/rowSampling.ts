import { handedOver, tf } from "../tf.ts";
import { type DrawTable, drawInto, drawTable } from "./drawTable.ts";
import { drawsOf, inclusion } from "./inclusion.ts";
import { reused, type SamplingScheme, type UnitFacts } from "./scheme.ts";

interface ImageRows {
  /** Null where every row is 0: there is nothing to draw, and nothing changes. */
  readonly table: DrawTable | null;
  /** 1/π of each row. */
  readonly scale: Float64Array;
  /** Rows that are not 0. */
  readonly active: number;
}

/**
 * Row sampling (paper 3, Algorithm 1): of the rows of a map, its places, c are drawn with replacement; those drawn are divided by the
 * probability π that they are, so that the mean over draws is the map itself, and all others are 0. All channels share the rows.
 * Probabilities follow from the squared norms of the rows of the plain pass.
 */
export const rowSampling = (
  probabilities: (alpha: Float32Array, c: number) => Float64Array,
  drawsFor: (unit: UnitFacts) => number,
): SamplingScheme => ({
  reads: (value) => tf.sum(tf.square(value), -1),
  draws(unit, alpha, random) {
    const { rows, shape } = unit;
    const c = drawsOf(drawsFor(unit));
    const all = new Float64Array(alpha.length);
    const images = random.map((_, i): ImageRows => {
      const p = probabilities(alpha.subarray(i * rows, (i + 1) * rows), c);
      all.set(p, i * rows);
      const active = p.reduce((sum, share) => sum + Number(share > 0), 0);
      return { table: active > 0 ? drawTable(p) : null, scale: p.map((share) => (share === 0 ? 0 : 1 / inclusion(share, c))), active };
    });
    const counts = { all: 0, active: 0, kept: 0 };
    const arrayOf = reused();
    return {
      c,
      probabilities: all,
      multiplier(places) {
        const out = arrayOf(places.length * rows).fill(0);
        places.forEach((image, pass) => {
          const { table, scale, active } = images[image] as ImageRows;
          counts.active += active;
          if (table) counts.kept += drawInto(table, c, scale, random[image] as (typeof random)[number], { out, offset: pass * rows });
        });
        counts.all += out.length;
        return handedOver(out, [places.length, ...shape.slice(1, -1), 1]);
      },
      counts,
    };
  },
});
