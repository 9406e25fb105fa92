import { expect, it } from "vitest";
import { asFlags, inFlags } from "../../../src/cli/flags.ts";
import { BulwarkError } from "../../../src/shared/errors.ts";

it("names parameters of a data set as flags, and leaves alone what is none", () => {
  expect(asFlags('Mend it, or leave it out with "onBroken": "skip".')).toBe("Mend it, or leave it out with --dataset-set onBroken=skip.");
  expect(asFlags('If yours count from 1, give the data set "firstLabel": 1.')).toBe(
    "If yours count from 1, give the data set --dataset-set firstLabel=1.",
  );
  const contract = 'State "range": "0…1" or "epochs": 3 beside the model, or correct "boxes".';
  expect(asFlags(contract)).toBe(contract);
});

it("keeps code, message and cause of an error", () => {
  const cause = new Error("cut off");
  const error = new BulwarkError("IMAGE_INVALID", "It is damaged.", 'Use "onBroken": "skip".', { cause });
  expect(inFlags(error)).toMatchObject({
    code: "IMAGE_INVALID",
    message: "It is damaged.",
    fix: "Use --dataset-set onBroken=skip.",
    cause,
  });
  expect(inFlags(cause)).toBe(cause);
});
