import { execFile, execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { text } from 'node:stream/consumers';
import { connect } from '../../../src/host/connect.ts';
import { unobserved } from '../../../src/host/api/rest.ts';
import { messageOf } from '../../../src/errors.ts';
import { processRunner } from '../../../src/runner/process.ts';
import type { Case } from './cases.ts';
import { start } from './place.ts';
import { Servers, type Seen } from './servers.ts';

/** What a program did with a case. */
export interface Outcome {
  readonly seen: readonly Seen[];
  /** Why it failed; blank when it did not. */
  readonly problem: string;
}

/** What kubectl did, and what the action did. */
export interface Comparison {
  readonly kubectl: Outcome;
  readonly action: Outcome;
}

/**
 * Runs in a network and a tree of mounts of its own, which it changes. Arguments: kubectl, the root of the files and a
 * directory below it for those of the cases; cases come in by standard input as JSON, comparisons go out the same way.
 */
const [, , kubectl = '', root = '', place = ''] = process.argv;
const servers = new Servers();
for (const address of ['10.9.0.1', '10.9.0.2', '10.9.0.3', '10.9.0.4', '10.9.0.8']) {
  execFileSync('ip', ['address', 'add', `${address}/32`, 'dev', 'lo']);
}
execFileSync('ip', ['link', 'set', 'lo', 'up']);
await start(root, servers);

const cases = JSON.parse(await text(process.stdin)) as readonly Case[];
const comparisons: Comparison[] = [];
for (const [at, one] of cases.entries()) {
  const directory = join(root, place, String(at));
  for (const [path, content] of Object.entries(one.files)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), content);
  }
  mkdirSync(directory, { recursive: true });
  process.chdir(directory);
  const env = { ...one.env, HOME: directory, PATH: `${join(root, 'bin')}:${process.env['PATH'] ?? ''}` };
  comparisons.push({
    kubectl: await outcomeOf(() => runKubectl(one, env)),
    action: await outcomeOf(() => runAction(one, env)),
  });
}
process.stdout.write(JSON.stringify(comparisons), () => process.exit());

async function outcomeOf(work: () => Promise<unknown>): Promise<Outcome> {
  servers.seen.length = 0;
  const problem = await work().then(
    () => '',
    (thrown: unknown) => messageOf(thrown) + evidenceOf(thrown),
  );
  await setImmediate();
  return { seen: [...servers.seen], problem };
}

function evidenceOf(thrown: unknown): string {
  const { evidence = [] } = thrown as { readonly evidence?: readonly string[] };
  return evidence.map((line) => `; ${line}`).join('');
}

async function runKubectl({ context, kubeconfig }: Case, env: NodeJS.ProcessEnv): Promise<void> {
  const args = [
    'version',
    '--output=json',
    ...(context === undefined ? [] : [`--context=${context}`]),
    ...(kubeconfig === undefined ? [] : [`--kubeconfig=${kubeconfig}`]),
  ];
  const { promise, resolve, reject } = Promise.withResolvers<undefined>();
  execFile(kubectl, args, { env, timeout: 30_000 }, (error, _stdout, stderr) => {
    if (error === null) resolve(undefined);
    else reject(new Error(stderr));
  }).stdin?.end();
  await promise;
}

async function runAction({ context, kubeconfig }: Case, env: NodeJS.ProcessEnv): Promise<void> {
  const signal = AbortSignal.timeout(30_000);
  const runtime = { env, run: processRunner(signal), mask: () => undefined, redact: (shown: string) => shown };
  const { client } = connect(
    { kubeconfig: undefined, kubeconfigFile: kubeconfig, context },
    { ...runtime, signal, observe: unobserved, wasReached: false },
  );
  await client.rest.text({ method: 'GET', path: '/version', retries: 0, timeoutSeconds: 10 });
}
