/** One phase of a command; times in milliseconds since the epoch. */
export interface Phase {
  readonly name: string;
  readonly start: number;
  readonly end: number;
}

/** When each phase began and ended: the source of the `timings` output and of the summary's gantt. */
export class Timeline {
  readonly #now: () => number;
  readonly #phases: Phase[] = [];
  readonly start: number;

  constructor(now: () => number = Date.now) {
    this.#now = now;
    this.start = now();
  }

  get phases(): readonly Phase[] {
    return this.#phases;
  }

  /** Milliseconds since the command began. */
  get elapsed(): number {
    return this.#now() - this.start;
  }

  /** Runs `work` as a phase of that name; it is noted however it ends. */
  async during<T>(name: string, work: () => Promise<T>): Promise<T> {
    const start = this.#now();
    try {
      return await work();
    } finally {
      this.#phases.push({ name, start, end: this.#now() });
    }
  }

  /** The `timings` output: seconds by phase, and in all. */
  toJSON(): Readonly<Record<string, number>> {
    const seconds = (milliseconds: number): number => Math.round(milliseconds) / 1000;
    return {
      ...Object.fromEntries(this.#phases.map(({ name, start, end }) => [name, seconds(end - start)])),
      total: seconds(this.elapsed),
    };
  }
}
