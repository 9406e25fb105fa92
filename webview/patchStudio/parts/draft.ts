import { type StudioChange, type StudioSettings, withChange } from "../../../src/shared/patchStudio.ts";

/** The settings as the person has them: what was changed here stands until the host has it too, whatever else the host changes meanwhile. */
export function createDraft(send: (change: StudioChange) => void) {
  let settings: StudioSettings | null = null;
  let pending: StudioChange[] = [];
  const set = (change: StudioChange): void => {
    if (!settings) return;
    settings = withChange(settings, change);
    pending.push(change);
    send(change);
  };
  return {
    set,
    setParam: (name: string, value: unknown): void => set({ params: { [name]: value } }),
    adopt(from: StudioSettings): StudioSettings {
      const has = (change: StudioChange): boolean => JSON.stringify(withChange(from, change)) === JSON.stringify(from);
      // The host takes changes in their order: with the last one that it has, it has all before.
      pending = pending.slice(pending.findLastIndex(has) + 1);
      settings = pending.reduce(withChange, from);
      return settings;
    },
  };
}
