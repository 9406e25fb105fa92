/**
 * Reads the items in order and yields each with its result. The next item is read while the caller works on the current one, so two results
 * are in memory. A failed read throws when its item's turn comes. If the caller stops early, the read under way is awaited and dropped.
 * @param o `isAlone`: nothing may be read while the caller works
 */
export async function* readAhead<T, R>(
  items: readonly T[],
  read: (item: T) => Promise<R>,
  o: { readonly isAlone?: boolean } = {},
): AsyncGenerator<readonly [T, R]> {
  let ahead: Promise<R> | undefined;
  try {
    for (const [i, item] of items.entries()) {
      const value = await (ahead ?? read(item));
      ahead = undefined;
      if (!o.isAlone && i + 1 < items.length) {
        ahead = read(items[i + 1] as T);
        ahead.catch(() => undefined); // it is rethrown where it is awaited; without this it would be an unhandled rejection
      }
      yield [item, value];
    }
  } finally {
    await ahead?.catch(() => undefined);
  }
}
