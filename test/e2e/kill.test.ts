import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../host/process.ts';
import { FaultProxy, pass, type Judge, type PassingRequest } from '../support/fault-proxy.ts';
import { inParallel } from '../support/in-parallel.ts';
import type { Job, StepResult } from '../support/runner.ts';
import { complaintsOf } from './expect.ts';
import { jobOn, objectsIn, sharedHost } from './support.ts';

const namespace = 'kill';
/** How the name of a victim's own namespace begins where it makes one. */
const freshNamespace = 'kill-fresh';
const host = sharedHost();
/** How many creates are under way at once. */
const PARALLEL = 8;
/** What is nobody's business here: a cluster of another repository whose name is how the victims' begin, and one of theirs. */
const bystanders = [
  { name: 'kill', repositoryId: 42 },
  // Of a run that is cleaned up after by `cleanup`.
  { name: 'kill-lasting', repositoryId: 1002 },
] as const;

/** A place in the life of a create at which it is killed. */
interface Boundary {
  readonly request: string;
  readonly earlier: number;
  /** Before the API server hears of the request, or when it has answered and the action has not heard of that yet. */
  readonly side: 'before' | 'after';
}

/** What was seen of one killed create. */
interface Death {
  readonly boundary: Boundary;
  readonly namespace: string;
  readonly main: StepResult;
  readonly cleaner: StepResult;
}

let proxy: FaultProxy;

function makeJob(kubeconfig: string, repositoryId: number, inputs: Readonly<Record<string, string>>): Job {
  const env = { GITHUB_REPOSITORY: `octo-org/repo-${repositoryId}`, GITHUB_REPOSITORY_ID: String(repositoryId) };
  const cluster = { infrastructure: 'in-memory', namespace, 'worker-machine-count': '0' };
  const through = { 'host-kubeconfig': kubeconfig, 'host-kubeconfig-file': '' };
  return jobOn(host, { ...cluster, ...through, ...inputs }, { env });
}

/** A request by what it is for, the same for every cluster. */
function nameless(request: string, victim: { readonly name: string; readonly namespace: string }): string {
  return request.replaceAll(victim.name, '<name>').replaceAll(victim.namespace, namespace);
}

/** Asks about oneself, and writes nothing. */
const QUESTION = /\/selfsubject(?:access)?reviews/;

/**
 * The boundaries of a whole create: each write from both sides, and each read of the wait that follows the last one. A
 * death at an earlier read leaves the host what a death before the next write leaves.
 */
async function findBoundaries(name: string): Promise<readonly Boundary[]> {
  const requests: PassingRequest[] = [];
  const kubeconfig = proxy.admit({
    decide(request) {
      requests.push(request);
      return pass;
    },
  });
  const victim = { name, namespace: freshNamespace };
  const job = makeJob(kubeconfig, 1000, victim);
  const main = await job.main();
  expect(main.exitCode, main.log).toBe(0);
  const made = requests.splice(0); // what follows is the post step's
  const post = await job.post();
  expect(post.exitCode, post.log).toBe(0);
  job.clean();
  await deleteNamespace(freshNamespace);
  const isRead = ({ method, what }: PassingRequest): boolean => method === 'GET' || QUESTION.test(what);
  const lastWrite = made.findLastIndex((request) => !isRead(request));
  return made.flatMap((request, index): Boundary[] => {
    const boundary = { request: nameless(request.what, victim), earlier: request.earlier };
    if (isRead(request)) return index < lastWrite ? [] : [{ ...boundary, side: 'before' }];
    return [
      { ...boundary, side: 'before' },
      { ...boundary, side: 'after' },
    ];
  });
}

/** Kills a create at a boundary, then has it cleaned up after by its post step, or by `cleanup` alone. */
async function die(boundary: Boundary, index: number, again = ''): Promise<Death> {
  const name = `kill-${index + 1}${again}`;
  const makesNamespace = boundary.request.startsWith('POST /api/v1/namespaces?');
  const victim = { name, namespace: makesNamespace ? `${freshNamespace}-${index}${again}` : namespace };
  const isIt = ({ what, earlier }: PassingRequest): boolean =>
    nameless(what, victim) === boundary.request && earlier === boundary.earlier;
  // Only main dies: its post step may send a request that main did not need this time.
  let hasEnded = false;
  const judge: Judge = {
    decide(request) {
      if (hasEnded || !isIt(request)) return pass;
      if (boundary.side === 'before') job.process?.kill('SIGKILL');
      return { kind: 'cut', where: boundary.side === 'before' ? 'request' : 'answer' };
    },
    answered(request) {
      if (!hasEnded && isIt(request)) job.process?.kill('SIGKILL');
    },
  };
  // A repository of its own: what is cleaned up after one must not be cleaned up after another.
  const repositoryId = 1000 + index;
  const job = makeJob(proxy.admit(judge), repositoryId, { ...victim, ttl: '1s' });
  const main = await job.main();
  hasEnded = true;
  // By pairs: the two sides of a write come one after the other.
  const hasPost = Math.floor(index / 2) % 2 === 0;
  const cleaner = hasPost
    ? job
    : makeJob(proxy.admit({ decide: () => pass }), repositoryId, { namespace: victim.namespace, command: 'cleanup' });
  // The API server tells the time in whole seconds.
  const expiry = Date.parse(main.outputs['expires-at'] ?? '1970-01-01') + 2_000;
  await until('the expiry', 10_000, () => hasPost || Date.now() > expiry);
  const cleaned = await (hasPost ? job.post() : cleaner.main());
  for (const done of [job, cleaner]) done.clean();
  // A create that failed by itself, on a host that was busy, or needed no such request this time.
  if (main.signal !== 'SIGKILL' && again === '') return die(boundary, index, '-again');
  return { boundary, namespace: victim.namespace, main, cleaner: cleaned };
}

/** Has a namespace deleted, which on a busy host takes longer than anybody here should wait. */
async function deleteNamespace(name: string): Promise<void> {
  await host.kubectl(['delete', 'namespace', name, '--ignore-not-found', '--wait=false']);
}

/** What must not change of a Cluster that is not ours. */
async function versionsOfBystanders(): Promise<string> {
  const path = '{range .items[*]}{.metadata.name} {.metadata.uid} {.metadata.resourceVersion}{"\\n"}{end}';
  const names = bystanders.map(({ name }) => name);
  return host.kubectl(['get', 'cluster', '-n', namespace, ...names, '-o', `jsonpath=${path}`]);
}

describe('a create that is killed at any moment', () => {
  beforeAll(async () => {
    proxy = await FaultProxy.start(readFileSync(host.kubeconfig, 'utf8'), (argv) => host.command(argv));
    const kubeconfig = proxy.admit({ decide: () => pass });
    await inParallel(bystanders, bystanders.length, async ({ name, repositoryId }) => {
      const job = makeJob(kubeconfig, repositoryId, { name });
      const main = await job.main();
      job.clean();
      expect(main.exitCode, main.log).toBe(0);
      await host.kubectl(['wait', '--for=condition=Available', `cluster/${name}`, '-n', namespace, '--timeout=110s']);
    });
  });
  afterAll(async () => {
    await host.kubectl(['delete', 'cluster', '-n', namespace, ...bystanders.map(({ name }) => name)]);
    await proxy.stop();
  });

  it(
    'leaves nothing, once its post step or a clean-up has run, and nobody else’s cluster changes',
    { timeout: 40 * 60_000 },
    async () => {
      const boundaries = await findBoundaries('kill-0');
      const before = await versionsOfBystanders();
      const deaths = await inParallel(boundaries, PARALLEL, (boundary, index) => die(boundary, index));
      const survivors = deaths.filter(({ main }) => main.signal !== 'SIGKILL');
      console.log(`${deaths.length} boundaries, ${survivors.length} of them not met again`);
      for (const { boundary, main, cleaner } of deaths) {
        const log = `killed ${boundary.side} ${boundary.request}\n${main.log}${cleaner.log}`;
        expect(cleaner.exitCode, log).toBe(0);
        expect(complaintsOf(cleaner.log), log).toEqual([]);
      }
      // A write is met in every run; which reads are needed is a matter of time.
      expect(survivors.filter(({ boundary }) => !boundary.request.startsWith('GET '))).toEqual([]);
      expect(survivors.length).toBeLessThan(4);
      const namespaces = [...new Set(deaths.map((death) => death.namespace))];
      const left = async (): Promise<string[]> =>
        (await Promise.all(namespaces.map((name) => objectsIn(host, name))))
          .flat()
          .filter((object) => /\/(vm-)?kill-\d/.test(object));
      await until('the garbage collector', 300_000, async () => (await left()).length === 0).catch(() => undefined);
      expect(await left()).toEqual([]);
      for (const name of namespaces) if (name !== namespace) await deleteNamespace(name);
      expect(await versionsOfBystanders()).toBe(before);
    },
  );
});
