import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { down, up, type Host } from '../host/host.ts';
import { silent } from '../host/report.ts';
import type { Job, StepResult } from '../support/runner.ts';
import { expectGone } from './expect.ts';
import { hostName as sharedName, jobOn } from './support.ts';

const namespace = 'crowd';
// A separate host: on the shared one, other tests have installed components.
const hostName = `${sharedName}-crowd`;
const numbers = [1, 2, 3, 4, 5, 6, 7, 8] as const;

/** Independent jobs that start at the same time. */
describe('8 concurrent jobs on a bare host', () => {
  let host: Host;
  const jobs: Job[] = [];
  const start = (inputs: Readonly<Record<string, string>>, runId: string): Job => {
    const cluster = { infrastructure: 'in-memory', namespace, 'worker-machine-count': '0', ...inputs };
    const job = jobOn(host, cluster, { env: { GITHUB_RUN_ID: runId } });
    jobs.push(job);
    return job;
  };
  const mains = (started: readonly Job[]): Promise<StepResult[]> => Promise.all(started.map((job) => job.main()));
  const uidOf = (name: string): Promise<string> =>
    host.kubectl(['get', 'cluster', name, '-n', namespace, '-o', 'jsonpath={.metadata.uid}']);

  beforeAll(async () => {
    await down(hostName, silent);
    host = await up(
      { name: hostName, without: ['virtink', 'kubevirt', 'older-cluster-api', 'older-kubernetes'] },
      silent,
    );
  });
  afterAll(async () => {
    jobs.forEach((job) => job.clean());
    await down(hostName, silent);
  });

  it('get a cluster each, and install the components once', async () => {
    const started = numbers.map((number) => start({ name: `one-of-${number}` }, `100${number}`));
    const results = await mains(started);
    for (const { exitCode, log } of results) expect(exitCode, log).toBe(0);
    const installers = results.filter(({ log }) => /^ +\d+\.\d s {2}Cluster API v\S+ is missing$/m.test(log));
    expect(installers).toHaveLength(1);
    const others = results.filter((result) => !installers.includes(result));
    for (const { log } of others) expect(log).toMatch(/another job installed what was missing|nothing missing/);
    const waiting = others.filter(({ log }) => log.includes(', which is installing on this host'));
    expect(waiting.length).toBeGreaterThan(0);
    expect(new Set(await Promise.all(numbers.map((number) => uidOf(`one-of-${number}`)))).size).toBe(8);

    const posts = await Promise.all(started.map((job) => job.post()));
    for (const { exitCode, log } of posts) {
      expect(exitCode, log).toBe(0);
      // On a busy machine, the host may take longer for 8 deletions than a post step waits.
      expect(log).toMatch(/nothing of one-of-\d is left|^::warning::.* \(KNEST_(TIMEOUT|DELETE)\)$/m);
    }
    await expectGone(host, namespace, 'one-of');
  });

  it('that want the same name create one cluster, and the others are refused and change nothing', async () => {
    const name = 'wanted';
    const started = numbers.map((number) => start({ name, 'wait-for': 'none' }, `200${number % 2}`));
    const results = await mains(started);
    const winner = results.findIndex(({ outputs }) => outputs['created'] === 'true');
    expect(results.filter(({ exitCode }) => exitCode === 0)).toEqual([results[winner]]);
    for (const { log } of results.toSpliced(winner, 1)) {
      expect(log).toMatch(/✖ cluster crowd\/wanted already exists, .* {3}KNEST_OWNED_BY_OTHER$/m);
    }
    const uid = await uidOf(name);
    const refused = started.toSpliced(winner, 1);
    for (const post of await Promise.all(refused.map((job) => job.post()))) {
      expect(post.exitCode, post.log).toBe(0);
      expect(post.log).not.toContain('::warning');
    }
    expect(await uidOf(name)).toBe(uid);
    const post = await started[winner]?.post();
    expect(post?.exitCode, post?.log).toBe(0);
    await expectGone(host, namespace, name);
  });

  it('that want the same non-ephemeral cluster create it once, and the others adopt it', async () => {
    const name = 'common';
    const lasting = { name, ephemeral: 'false', 'wait-for': 'none' };
    const started = numbers.map((number) => start(lasting, `300${number}`));
    const results = await mains(started);
    for (const { exitCode, log } of results) expect(exitCode, log).toBe(0);
    expect(results.filter(({ outputs }) => outputs['created'] === 'true')).toHaveLength(1);
    const path = 'jsonpath={.metadata.annotations}';
    const annotations = await host.kubectl(['get', 'cluster', name, '-n', namespace, '-o', path]);
    expect(annotations).not.toContain('knest-action/unfinished');
    const deleted = await start({ command: 'delete', name }, '4000').main();
    expect(deleted.exitCode, deleted.log).toBe(0);
    await expectGone(host, namespace, name);
  });
});
