import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { run } from '../host/process.ts';
import { anyCase, type Case } from './kubectl/cases.ts';
import type { Comparison, Outcome } from './kubectl/compare.ts';
import { HOSTS, writeFiles } from './kubectl/place.ts';
import { sharedHost } from './support.ts';

/** How many kubeconfigs, environments and sets of files the test tries. */
const RUNS = 320;
/** How many processes try them side by side, each in a network of its own. */
const PROCESSES = 2;
/** The share of the cases that kubectl can use and the action may refuse. */
const MOST_REFUSALS = 0.1;
/** Names of fields and inputs. A refusal must contain one of them. */
const FIELD =
  /\b(?:host-[a-z-]+|[a-z]+(?:-[a-z]+)+|tokenFile|server|token|exec(?:\.\w+)?|contexts?|clusters?|users?|kind|apiVersion)\b/;

const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31));

describe(`the same kubeconfigs, variables and files (SEED=${seed})`, () => {
  const root = mkdtempSync(join(tmpdir(), 'knest-kubectl-'));
  afterAll(() => rmSync(root, { recursive: true }));

  it('lead the action and kubectl to the same server, as the same user', async () => {
    const { binaries } = sharedHost();
    const cases = fc.sample(anyCase(writeFiles(root)), { numRuns: RUNS, seed });
    const comparisons = await compare(root, join(binaries, 'kubectl'), cases);
    expect(comparisons).toHaveLength(RUNS);
    const reached = comparisons.filter(({ kubectl }) => kubectl.seen.length > 0);
    // Otherwise the cases would prove little.
    expect(reached.length).toBeGreaterThan(RUNS / 3);
    const differences = comparisons.flatMap((comparison, at) => differenceOf(comparison, cases[at]));
    expect(differences).toEqual([]);
    const refusals = reached.filter(({ action }) => action.seen.length === 0).map(({ action }) => action.problem);
    expect(refusals.length, refusals.join('\n')).toBeLessThanOrEqual(reached.length * MOST_REFUSALS);
    expect(refusals.filter((problem) => !FIELD.test(problem))).toEqual([]);
  });
});

/** Runs both on the cases, a share of them in each process. */
async function compare(root: string, kubectl: string, cases: readonly Case[]): Promise<readonly Comparison[]> {
  writeFileSync(join(root, 'hosts'), `127.0.0.1 localhost\n${HOSTS}`);
  const size = Math.ceil(cases.length / PROCESSES);
  const shares = Array.from({ length: PROCESSES }, (_, at) => cases.slice(at * size, (at + 1) * size));
  const all = shares.map((share, at) => compareShare(root, kubectl, `cases-${at}`, share));
  return (await Promise.all(all)).flat();
}

/** Runs both in a separate network: in any other, a kubeconfig could lead anywhere. */
async function compareShare(
  root: string,
  kubectl: string,
  place: string,
  cases: readonly Case[],
): Promise<readonly Comparison[]> {
  // A pod's service account is below /run; names come from a file alone.
  const prepare = `mount -t tmpfs none /run && mount --bind ${root}/hosts /etc/hosts && exec "$@"`;
  const program = [
    process.execPath,
    '--disable-warning=ExperimentalWarning',
    join(import.meta.dirname, 'kubectl/compare.ts'),
  ];
  const shell = ['--net', '--mount', 'sh', '-c', prepare, 'sh', ...program, kubectl, root, place];
  return JSON.parse(await run('unshare', shell, { input: JSON.stringify(cases) })) as Comparison[];
}

/** A case in which the action used another server or user than kubectl. A refusal is not a difference. */
function differenceOf({ kubectl, action }: Comparison, tried: Case | undefined): readonly object[] {
  const isRefusal = action.seen.length === 0;
  if (isRefusal || isSame(kubectl, action)) return [];
  return [{ kubectl, action, tried }];
}

function isSame(one: Outcome, other: Outcome): boolean {
  return JSON.stringify(one.seen) === JSON.stringify(other.seen);
}
