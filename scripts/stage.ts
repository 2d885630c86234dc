import { seconds } from '../test/host/report.ts';

/** A part of what is shown, and how long it took. */
export interface Part {
  readonly title: string;
  readonly time: string;
}

/** Writes a line to standard output. */
export function print(line = ''): void {
  process.stdout.write(`${line}\n`);
}

/** Shows parts one after another, each under a heading and with its time. */
export class Stage {
  readonly #parts: Part[] = [];
  #stoppedBy: NodeJS.Signals | undefined;

  /** Whether a signal asked for the end. */
  get isStopped(): boolean {
    return this.#stoppedBy !== undefined;
  }

  /** The parts so far that came to their end. */
  get parts(): readonly Part[] {
    return this.#parts;
  }

  /** Has the first Ctrl-C, or what a service manager sends, end the show after the part that runs. `tell` hears of it at once. */
  listen(tell: () => void): void {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.on(signal, () => {
        if (this.isStopped) return;
        this.#stoppedBy = signal;
        print(`\n${signal}: ending`);
        tell();
      });
    }
  }

  /** Throws once a signal asked for the end. */
  goOn(): void {
    if (this.#stoppedBy !== undefined) throw new Error(`ended by ${this.#stoppedBy}`);
  }

  /** Shows a part, however the show is to go on. */
  async show<T>(title: string, work: () => Promise<T>): Promise<T> {
    print(`\n━━ ${title}`);
    const began = performance.now();
    try {
      return await work();
    } finally {
      const time = seconds(began);
      this.#parts.push({ title, time });
      print(`━━ ${time}`);
    }
  }
}
