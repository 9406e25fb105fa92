import { entriesOf, parameterWith } from "../catalog.ts";
import { steps255 } from "../format.ts";
import { goodStep } from "./rb002.ts";
import type { FileRule } from "./rule.ts";
import { at, keySpan, numberOf } from "./tree.ts";

/** The usual first iterative attack, and its usual number of steps (Madry et al. 2018; Carlini et al. 2019). */
const [added, steps] = ["pgd", 40];

/** A whole number of 8-bit steps as the fraction that it is. */
const asWritten = (eps: number): string => {
  const decimals = String(eps).length;
  return decimals > 6 && steps255(eps) !== null ? `"${steps255(eps)}/255"` : String(eps);
};

/** Every attack takes a single step; those of unknown names may be anything. */
export const rb006: FileRule = {
  id: "RB006",
  scope: "file",
  check({ root, sites, catalog }) {
    const list = at(root, "attacks");
    const attacks = list?.children ?? [];
    const last = attacks.at(-1);
    const single = sites.filter(({ node, entry }) => attacks.includes(node) && entry?.iterative === false);
    if (!list || !last || single.length < attacks.length) return [];
    const radii = single.map((site) => {
      const key = site.entry && parameterWith(site.entry, "radius");
      return (key === undefined ? undefined : numberOf(at(site.node, key))) ?? 0;
    });
    const entry = entriesOf(catalog, "attack").find(({ id }) => id === added);
    const eps = Math.max(0, ...radii) || 8 / 255;
    const settings = { radius: eps, steps, step: goodStep(eps, steps) };
    const parameters = Object.entries(settings).flatMap(([role, value]) => {
      const key = entry && parameterWith(entry, role as keyof typeof settings);
      return key === undefined ? [] : [`"${key}": ${role === "radius" ? asWritten(value) : value}`];
    });
    const text = `, { ${[`"kind": "${added}"`, ...parameters].join(", ")} }`;
    const fix = { title: `Add PGD with ${steps} steps`, span: { offset: last.offset + last.length, length: 0 }, text, isPreferred: true };
    const message = "Only single-step attacks: a defence that merely hides its gradients withstands them. Add an iterative one.";
    return [{ message, span: keySpan(list), fixes: entry ? [fix] : [] }];
  },
};
