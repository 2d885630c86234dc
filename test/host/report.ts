/** Where the steps of a long command are told: one line a step. */
export interface Report {
  /** Does a step and tells its name, the time it took and what `work` returns to be said about it. */
  step<T>(name: string, work: (say: (detail: string) => void) => Promise<T>): Promise<T>;
  /** Tells a line that belongs to the step that is going on. */
  note(text: string): void;
}

/** Returns a report that writes lines, by default to standard error: standard output belongs to a command's answer. */
export function lineReport(write = (line: string): unknown => process.stderr.write(`${line}\n`)): Report {
  return {
    async step(name, work) {
      const began = performance.now();
      let detail = '';
      const answer = await work((text) => {
        detail = text;
      });
      write(`▸ ${name.padEnd(18)} ${detail}${detail ? '   ' : ''}${seconds(began)}`);
      return answer;
    },
    note: (text) => write(`    ${text}`),
  };
}

/** A report that tells nothing. */
export const silent: Report = {
  step: (_name, work) => work(() => undefined),
  note: () => undefined,
};

/** Returns the time since `began` (from performance.now()) in seconds, such as "3.1 s". */
export function seconds(began: number): string {
  return `${((performance.now() - began) / 1000).toFixed(1)} s`;
}
