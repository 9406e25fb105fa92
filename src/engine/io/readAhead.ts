/**
 * What `read` gives for one item after another, in their order. The next item is read while the caller works on this one, so that two are in
 * memory; a read that fails throws in its own turn. When the caller stops early, what is being read is waited for and dropped.
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
        ahead.catch(() => undefined); // thrown where it is awaited; until then it is nobody's
      }
      yield [item, value];
    }
  } finally {
    await ahead?.catch(() => undefined);
  }
}
