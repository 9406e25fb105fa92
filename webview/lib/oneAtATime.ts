/**
 * Sends the newest of what is wanted, one request at a time: a slider that moves on is followed as fast as it is answered, and its last
 * place is never left out.
 */
export function oneAtATime<P>(send: (params: P) => void) {
  let sent: string | null = null;
  let waiting: { readonly params: P } | null = null;
  const next = (): void => {
    if (sent !== null || !waiting) return;
    const { params } = waiting;
    [sent, waiting] = [JSON.stringify(params), null];
    send(params);
  };
  return {
    want(params: P): void {
      waiting = { params };
      next();
    },
    /** A request has ended; answers to others than the one that was sent change nothing. */
    answered(params: P): void {
      if (JSON.stringify(params) === sent) sent = null;
      next();
    },
  };
}
