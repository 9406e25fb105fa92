import type { Severity } from "./results.ts";

/** What a rule looks at: the experiment file, a loaded model, one attack on one arm, a pair of attacks, an arm, the run's machine. */
export type RuleTime = "file" | "model" | "attack" | "pair" | "arm" | "run" | "table";

/** What it takes to check: nothing, one forward pass, one short attack, results that are there anyway, a further run (offered only). */
export type RuleCost = 0 | 1 | 2 | 3 | 4;

interface Described {
  readonly id: `RB${number}`;
  /** What the rule finds, as a heading. */
  readonly title: string;
  /** How it is reported; a rule that weighs its evidence may report something milder or graver. */
  readonly severity: Severity;
  readonly when: RuleTime;
  readonly cost: RuleCost;
  /** Why it matters and where the check comes from. */
  readonly why: string;
}

/** One line for each rule: Problems, the Findings view, the reference page and the engine all read this list. Ordered by id. */
const catalogue = [
  {
    id: "RB001",
    title: "Distance in units of 0…255",
    severity: "error",
    when: "file",
    cost: 0,
    why: "Images are in [0,1]. A radius of 8 that means 8/255 would allow every image.",
  },
  {
    id: "RB002",
    title: "Step and radius do not fit",
    severity: "warning",
    when: "file",
    cost: 0,
    why: "A step larger than ε jumps across the whole ball; steps that add up to less than ε never reach its edge (Madry et al. 2018 use about 2.5·ε/steps).",
  },
  {
    id: "RB006",
    title: "Only single-step attacks",
    severity: "warning",
    when: "file",
    cost: 0,
    why: "A defence that only hides its gradients withstands a single step and falls to an iterative attack (Carlini et al. 2019).",
  },
  {
    id: "RB008",
    title: "Defence not attacked adaptively",
    severity: "warning",
    when: "pair",
    cost: 3,
    why: "Images made against another model show how well they transfer, not how robust the defence is (Carlini et al. 2019; Tramèr et al. 2020).",
  },
  {
    id: "RB009",
    title: "No seed",
    severity: "info",
    when: "file",
    cost: 0,
    why: "Without a seed in the file, a later version with another default would give other figures.",
  },
  {
    id: "RB101",
    title: "Contract feeds the model wrongly",
    severity: "error",
    when: "model",
    cost: 1,
    why: "Labelled pictures show another input range to be right. Under a wrong one, accuracy and robustness are those of another function than the model.",
  },
  {
    id: "RB102",
    title: "Last activation bounds the scores",
    severity: "warning",
    when: "model",
    cost: 1,
    why: "A softmax, tanh or other bounded activation that saturates leaves an attack no gradient to follow. Where a softmax cannot be taken off, attacks use log-probabilities.",
  },
  {
    id: "RB103",
    title: "Two passes differ",
    severity: "warning",
    when: "model",
    cost: 1,
    why: "Scores that change from pass to pass make single-pass gradients and verdicts a matter of luck (Athalye et al. 2018).",
  },
  {
    id: "RB104",
    title: "Batch mates change the result",
    severity: "error",
    when: "model",
    cost: 1,
    why: "Batch normalisation in training mode takes its statistics from the batch: an attack on one image changes what the others get.",
  },
  {
    id: "RB105",
    title: "Gradient exactly zero or no number",
    severity: "error",
    when: "arm",
    cost: 1,
    why: "An attack that follows the gradient stays where it is, so the accuracy under it is that of the clean images. Saturated scores, rounding and thresholds do this (Athalye et al. 2018; Carlini et al. 2019).",
  },
  {
    id: "RB106",
    title: "Gradient disagrees with differences",
    severity: "warning",
    when: "arm",
    cost: 1,
    why: "Where the gradient is not the slope of what the model computes, attacks follow a wrong direction and look weak (shattered gradients, Athalye et al. 2018). A defence in front that declares BPDA is not asked.",
  },
  {
    id: "RB107",
    title: "Softmax saturates",
    severity: "warning",
    when: "arm",
    cost: 1,
    why: "Once the largest probability is exactly 1 in float32, the cross-entropy no longer says in which direction the label loses. Scaled scores and distillation at a high temperature mask gradients in this way (Carlini and Wagner 2017).",
  },
  {
    id: "RB108",
    title: "Labels shifted or reordered",
    severity: "error",
    when: "model",
    cost: 1,
    why: "A shift by one (a background class, labels counted from 1) or an order by text makes a good model look like chance.",
  },
  {
    id: "RB110",
    title: "Trained network departs from the named one",
    severity: "info",
    when: "arm",
    cost: 3,
    why: "A conversion to 3-D leaves out poolings that its slices are too small for, so the network is not quite the one that the paper names.",
  },
  {
    id: "RB111",
    title: "Input range assumed",
    severity: "warning",
    when: "model",
    cost: 0,
    why: "A network that was trained on 0…255 or −1…1 gives meaningless scores for 0…1, and still looks robust or broken. Nothing in its files says which range it takes.",
  },
  {
    id: "RB112",
    title: "Contract contradicts the model",
    severity: "warning",
    when: "model",
    cost: 0,
    why: "The network normalises its images itself, or its maker says which range it takes, and the input contract says another one.",
  },
  {
    id: "RB113",
    title: "Accuracy below the probe's",
    severity: "error",
    when: "arm",
    cost: 3,
    why: "The contract was decided on by how often the model was right. If it is right far less often on the same data, something changed that the contract rests on.",
  },
  {
    id: "RB114",
    title: "Scores without gradients",
    severity: "warning",
    when: "model",
    cost: 0,
    why: "The file has something that cannot be differentiated here, so only attacks that ask for scores alone run. They find fewer adversarial images than attacks on gradients, and so bound robustness less tightly.",
  },
  {
    id: "RB115",
    title: "Gradients pass through rounding",
    severity: "warning",
    when: "model",
    cost: 0,
    why: "Rounding to 8 bits has a gradient of zero nearly everywhere. It is taken for the identity (straight-through estimator, Bengio et al. 2013), so attacks follow an approximation, and may be weak.",
  },
  {
    id: "RB201",
    title: "Attack leaves its threat model",
    severity: "error",
    when: "attack",
    cost: 3,
    why: "An image outside the ε-ball or outside [0,1] would count as a success that the threat model does not allow. Such images are projected back before they are scored.",
  },
  {
    id: "RB202",
    title: "Attack does nothing",
    severity: "error",
    when: "attack",
    cost: 3,
    why: "Without a backward pass, with a gradient that is exactly 0, or without any changed pixel, accuracy under attack is clean accuracy under another name (AttackBench found such attacks in a public library).",
  },
  {
    id: "RB203",
    title: "Adversarial image found and lost again",
    severity: "warning",
    when: "attack",
    cost: 3,
    why: "An iterate fooled the model and the attack's last image does not (Pintor et al. 2022, indicator 3). The best iterate is kept.",
  },
  {
    id: "RB204",
    title: "Attack had not ended",
    severity: "warning",
    when: "attack",
    cost: 3,
    why: "Images still fall in the last iterations, so accuracy under the attack is that of its budget, not of the model. Twice the iterations must change next to nothing (Carlini et al. 2019).",
  },
  {
    id: "RB206",
    title: "Attack without limits does not win",
    severity: "error",
    when: "arm",
    cost: 2,
    why: "An attack that may paint any image must bring accuracy down to chance; where it does not, its gradients are masked (Carlini et al. 2019; Athalye et al. 2018).",
  },
  {
    id: "RB208",
    title: "Images misclassified before the attack",
    severity: "info",
    when: "table",
    cost: 3,
    why: "They count against accuracy under attack and do not count towards the attack success rate. The table of results says how many there are; images that are already of the target class are none of them.",
  },
  {
    id: "RB209",
    title: "Patch does no more than cover",
    severity: "warning",
    when: "attack",
    cost: 3,
    why: "A plain grey patch in the same places breaks as many images, so what the trained patch shows plays no part.",
  },
  {
    id: "RB210",
    title: "Made from the images that it is judged on",
    severity: "warning",
    when: "attack",
    cost: 3,
    why: "A patch is meant for images that it has never seen, and so is a substitute network; on its own training images it looks stronger than it is.",
  },
  {
    id: "RB301",
    title: "One step beats many",
    severity: "warning",
    when: "pair",
    cost: 3,
    why: "With the same radius, many small steps can do whatever a single one does. Where they do worse, gradients are probably masked (Athalye et al. 2018).",
  },
  {
    id: "RB302",
    title: "Attack that sees less beats one that follows gradients",
    severity: "warning",
    when: "pair",
    cost: 3,
    why: "An attack that follows the network's own gradients could return the images that another network, or a search by scores, gives. Where it breaks fewer, its gradients are probably masked (Athalye et al. 2018).",
  },
  {
    id: "RB303",
    title: "Accuracy rises with the radius",
    severity: "warning",
    when: "pair",
    cost: 3,
    why: "A larger ball holds every image of the smaller one, so accuracy under attack can only fall. Where it rises, training may have leaked labels or the attack has too few steps (Kurakin et al. 2017).",
  },
  {
    id: "RB304",
    title: "Curve stays flat",
    severity: "warning",
    when: "pair",
    cost: 3,
    why: "More budget must break more images: a network has no reason to withstand eight times the pixels, or eight times ε, as well as it does the least. A flat curve shows an attack that does not find what is there, or gradients that are masked (Carlini et al. 2019).",
  },
  {
    id: "RB307",
    title: "Adaptive attack weaker than the transferred one",
    severity: "warning",
    when: "pair",
    cost: 3,
    why: "An attack that knows the defence could return the transferred image. Where it breaks fewer images, it has not converged (Carlini et al. 2019).",
  },
  {
    id: "RB309",
    title: "Smallest change contradicts the radius",
    severity: "error",
    when: "pair",
    cost: 3,
    why: "An image that can be broken by a change within the radius is not robust at that radius, whichever attack found the change. Networks with masked gradients withstand attacks within a radius and fall to small changes that an attack without one finds (Ranjan et al. 2017: C&W against FGSM).",
  },
  {
    id: "RB402",
    title: "Randomised detector evaded by single draws",
    severity: "warning",
    when: "arm",
    cost: 3,
    why: "The gradient of one draw points where the next draw does not. An attack on something randomised has to average over draws (expectation over transformation, Athalye et al. 2018), or it looks stronger than it is.",
  },
  {
    id: "RB403",
    title: "Detector met only by attacks that do not know it",
    severity: "warning",
    when: "arm",
    cost: 3,
    why: "Nearly every published detector fails once the attack keeps its score small as well (Carlini and Wagner 2017). Figures for attacks that do not know it say little.",
  },
  {
    id: "RB404",
    title: "Threshold without images of its own",
    severity: "error",
    when: "arm",
    cost: 3,
    why: "A threshold that is chosen on the test images promises a rate of false alarms that no other image keeps. It is chosen on validation images, and where there are none there is no threshold.",
  },
  {
    id: "RB407",
    title: "Same answer for every image",
    severity: "warning",
    when: "arm",
    cost: 3,
    why: "No attack lowers the accuracy of a constant classifier. It looks perfectly robust and has learned nothing, or what stands in front of it destroys every image.",
  },
  {
    id: "RB501",
    title: "Success lost in an 8-bit file",
    severity: "warning",
    when: "attack",
    cost: 3,
    why: "A PNG holds 256 levels a channel. A perturbation below half a level disappears when the image is saved, and Bulwark found no adversarial image of whole levels near by.",
  },
  {
    id: "RB507",
    title: "Device failed during the run",
    severity: "warning",
    when: "run",
    cost: 3,
    why: "Part of the run was computed on another device than the rest; figures may differ in their last digits.",
  },
] as const satisfies readonly Described[];

export type RuleId = (typeof catalogue)[number]["id"];
export interface RuleInfo extends Described {
  readonly id: RuleId;
}
export const rules: readonly RuleInfo[] = catalogue;

const byId = new Map<string, RuleInfo>(rules.map((rule) => [rule.id, rule]));

/** Undefined for the id of a rule that another version had. */
export const ruleInfo = (id: string): RuleInfo | undefined => byId.get(id);

/** Severity of a rule as the catalogue has it. */
export const severityOf = (id: RuleId): Severity => byId.get(id)?.severity ?? "warning";
