import { debug, endGroup, error, info, startGroup, warning } from '@actions/core';
import type { KnestError } from '../errors.ts';
import { harmless } from './safe-text.ts';
import type { Timeline } from './timeline.ts';

/** The log of a step while it runs. */
export interface StepLog {
  /** One line for one change; opens the step's group at the first. */
  line(text: string): void;
}

/** The log of a job. */
export interface Log {
  /** Runs a step: one line when it logs nothing in between, else a group. `work` returns the step's result line. */
  step<T>(title: string, work: (step: StepLog) => Promise<{ readonly value: T; readonly result: string }>): Promise<T>;
  /** A separate line. */
  line(text: string): void;
  /** Lines that are folded under a title. */
  section(title: string, lines: readonly string[]): void;
  /** A line for ACTIONS_STEP_DEBUG. */
  readonly debug: (text: string) => void;
  /** One sentence as an annotation; the step stays green. */
  readonly warn: (text: string) => void;
  /** A failure in full, and its one sentence as an annotation; for inputs, with what is wrong with each. */
  fail(failure: KnestError): void;
}

const TITLE_WIDTH = 18;
/** Milliseconds after which a step says that it still runs: some runners cut silent steps. */
const SILENCE = 60_000;

/**
 * The log of a GitHub job. Lines are written by `write`, groups and annotations as workflow commands, all without the
 * secrets that `redact` knows: a runner masks them too, but a CronJob has none.
 */
export function githubLog(
  timeline: Timeline,
  redact: (text: string) => string,
  write: (text: string) => void = info,
): Log {
  const shown = (text: string): string => harmless(redact(text));
  const print = (text: string): void => write(shown(text));
  return {
    async step(title, work) {
      const started = performance.now();
      const group = { open: false };
      const elapsed = (): string => `${((performance.now() - started) / 1000).toFixed(1)} s`;
      const step: StepLog = {
        line(text) {
          if (!group.open) startGroup(shown(`▸ ${title}`));
          group.open = true;
          reminder.refresh();
          print(`${elapsed().padStart(10)}  ${text}`);
        },
      };
      const reminder = setInterval(() => step.line('still running'), SILENCE).unref();
      try {
        const { value, result } = await timeline.during(title, () => work(step));
        if (group.open) step.line(result);
        else print(`▸ ${title.padEnd(TITLE_WIDTH)} ${result}   ${elapsed()}`);
        return value;
      } finally {
        clearInterval(reminder);
        if (group.open) endGroup();
      }
    },
    line: print,
    section(title, lines) {
      startGroup(shown(`▸ ${title}`));
      for (const line of lines) print(line);
      endGroup();
    },
    debug: (text) => debug(shown(text)),
    warn: (text) => warning(shown(text)),
    fail(failure) {
      print(`✖ ${failure.problem}   ${failure.code}`);
      for (const line of failure.evidence) print(`  ${line}`);
      if (failure.next !== undefined) print(`  Next: ${failure.next}`);
      const reasons = failure.code === 'KNEST_INPUT' ? failure.evidence : [];
      error(shown([`${failure.problem} (${failure.code})`, ...reasons].join('\n')));
    },
  };
}
