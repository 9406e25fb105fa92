import { expect, it } from "vitest";
import { checkRequest } from "../../../src/engine/requestSchemas.ts";
import { requests } from "../../../src/shared/protocol.ts";

const attack = { image: "a.png", model: "m", attack: { id: "fgsm", params: {} }, seed: 1, directory: "run", token: "t" };

it("lets a request through that is what the protocol says, with what it may leave out", () => {
  expect(() => checkRequest("attackImage", attack)).not.toThrow();
  expect(() => checkRequest("attackImage", { ...attack, label: null, fit: null, defenses: [] })).not.toThrow();
  expect(() => checkRequest("doctor", null)).not.toThrow();
});

it("refuses one that is not, and says where", () => {
  expect(() => checkRequest("attackImage", { ...attack, image: 3 })).toThrow(/"attackImage".*image/s);
  expect(() => checkRequest("attackImage", { ...attack, attack: { id: "fgsm" } })).toThrow(/attack/);
  expect(() => checkRequest("defendRun", null)).toThrow(/"defendRun"/);
});

it("has a schema for every request of the protocol", () => {
  for (const { method } of Object.values(requests))
    if (!["ping", "list", "doctor"].includes(method)) expect(() => checkRequest(method, { token: {} }), method).toThrow();
});
