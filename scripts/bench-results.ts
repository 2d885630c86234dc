import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, release, totalmem } from 'node:os';
import { dirname, resolve } from 'node:path';
import { versions } from '../test/host/modules.ts';
import { rounded, type Row } from './bench-row.ts';

/** What can be measured by itself. */
export const SUBJECTS = ['create', 'claim', 'tunnel'] as const;

/** One of them. */
export type Subject = (typeof SUBJECTS)[number];

/** What one run measured, and on what. */
export interface Results {
  readonly date: string;
  readonly machine: {
    readonly cpus: number;
    readonly model: string;
    readonly memoryGiB: number;
    readonly kernel: string;
    /** Load averages at the end. */
    readonly load: readonly number[];
  };
  readonly versions: Readonly<Record<string, string>>;
  readonly rows: readonly Row[];
}

/** The newest results of each subject: they may come from different days and machines. */
export type AllResults = Readonly<Partial<Record<Subject, Results>>>;

/** Where they are kept. */
export const resultsFile = resolve(import.meta.dirname, '../bench/results.json');

/** Reads the results; there are none before the first run. */
export function readResults(): AllResults {
  return existsSync(resultsFile) ? (JSON.parse(readFileSync(resultsFile, 'utf8')) as AllResults) : {};
}

/** Replaces the results of a subject, and leaves those of the others. */
export function writeResults(subject: Subject, rows: readonly Row[]): void {
  const results: Results = {
    date: new Date().toISOString().slice(0, 10),
    machine: {
      cpus: availableParallelism(),
      model: cpus()[0]?.model ?? '',
      memoryGiB: Math.round(totalmem() / 2 ** 30),
      kernel: release().replace(/-.*/, ''),
      load: loadavg().map(rounded),
    },
    versions: {
      node: process.version,
      kubernetes: versions.kubernetes,
      clusterApi: versions.clusterAPI,
      ...(subject !== 'tunnel' && { virtinkProvider: versions.virtinkProvider }),
    },
    rows,
  };
  mkdirSync(dirname(resultsFile), { recursive: true });
  const all: AllResults = { ...readResults(), [subject]: results };
  const inOrder = Object.fromEntries(SUBJECTS.map((name) => [name, all[name]]));
  writeFileSync(resultsFile, `${JSON.stringify(inOrder, undefined, 2)}\n`);
}
