/** When each thing was first seen to be wrong, by our own clock. */
export class FirstSeen {
  readonly #since = new Map<string, number>();

  /** Seconds since the thing of this name was first asked for. */
  readonly age = (key: string): number => {
    const now = performance.now();
    const since = this.#since.get(key) ?? now;
    this.#since.set(key, since);
    return (now - since) / 1000;
  };
}
