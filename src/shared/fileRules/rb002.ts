import { parameterWith } from "../catalog.ts";
import { epsilon, number } from "../format.ts";
import type { FileRule } from "./rule.ts";
import { at, type ChoiceSite, normOf, numberOf, spanOf } from "./tree.ts";

/** 2.5 ε / steps lets an attack reach the edge of the ball and turn back (Madry et al. 2018). */
export const goodStep = (eps: number, steps: number): number => Number(((2.5 * eps) / steps).toPrecision(4));

/** A step that is larger than the ball, or steps that together do not reach its edge. */
export const rb002: FileRule = {
  id: "RB002",
  scope: "choice",
  check: ({ sites }) =>
    sites.flatMap((site) => {
      const [radius, count, step] = [parameterOf(site, "radius"), parameterOf(site, "steps"), parameterOf(site, "step")];
      const written = step?.node ?? radius?.node;
      if (!radius || !count || !step || !written) return [];
      const [eps, steps, stepSize] = [radius.value, count.value, step.value];
      const largest = normOf(site) === "l2" ? Number.POSITIVE_INFINITY : 1; // a larger one is in other units: RB001
      if (eps <= 0 || eps > largest || steps < 1 || stepSize <= 0 || stepSize > largest) return [];
      const reach = stepSize * steps;
      if (stepSize <= eps && reach >= eps * (1 - 1e-9)) return [];
      const message =
        stepSize > eps
          ? `A step of ${epsilon(stepSize)} is larger than ε = ${epsilon(eps)}: every step ends on the edge of the ball.`
          : `${steps} steps of ${epsilon(stepSize)} reach only ${number(reach)} of ε = ${epsilon(eps)}: the attack cannot use its ball.`;
      const good = goodStep(eps, steps);
      const title = `Set the step to 2.5 ε / steps = ${good}`;
      const fix = step.node
        ? { title, span: spanOf(step.node), text: String(good), isPreferred: true }
        : { title, span: { offset: written.offset + written.length, length: 0 }, text: `, "${step.key}": ${good}`, isPreferred: true };
      return [{ message, span: spanOf(written), fixes: [fix] }];
    }),
};

/** The parameter of a role: as it is written, else its default. */
function parameterOf({ node, entry }: ChoiceSite, role: "radius" | "steps" | "step") {
  const key = entry && parameterWith(entry, role);
  if (key === undefined) return undefined;
  const written = at(node, key);
  const value = numberOf(written) ?? entry?.params.properties[key]?.default;
  return typeof value === "number" ? { key, node: written, value } : undefined;
}
