import { expect, it } from "vitest";
import { type StudioChange, type StudioSettings, withChange } from "../../../src/shared/patchStudio.ts";
import { createDraft } from "../../../webview/patchStudio/parts/draft.ts";

const first: StudioSettings = { trainModel: "m", tryModel: "m", source: "mnist", limit: 256, params: { target: 0, steps: 200 } };

it("keeps what was typed while the host is still at an earlier state, and takes what the host changed itself", () => {
  const sent: StudioChange[] = [];
  const draft = createDraft((change) => sent.push(change));
  draft.set({ limit: 1 }); // nothing is there yet to be changed
  expect(sent).toEqual([]);
  draft.adopt(first);
  draft.set({ limit: 100 });
  draft.setParam("target", 3);
  expect(sent).toEqual([{ limit: 100 }, { params: { target: 3 } }]);

  // The host found another data set before it heard of either.
  let host: StudioSettings = { ...first, source: "folder" };
  expect(draft.adopt(host)).toEqual({ ...first, source: "folder", limit: 100, params: { target: 3, steps: 200 } });
  host = withChange(host, sent[0] as StudioChange);
  expect(draft.adopt(host).params["target"]).toBe(3);
  host = withChange(host, sent[1] as StudioChange);
  expect(draft.adopt(host)).toEqual(host);
  // From here on the host's word stands.
  expect(draft.adopt({ ...host, limit: 7 }).limit).toBe(7);
});
