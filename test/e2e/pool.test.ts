import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { Annotations, Labels, repositoryLabels } from '../../src/cluster/identity/identity.ts';
import { FaultProxy, pass, type Judge } from '../support/fault-proxy.ts';
import type { Job, StepResult } from '../support/runner.ts';
import { complaintsOf, expectGone } from './expect.ts';
import { jobStarter } from './jobs.ts';
import { supportProgram } from './program.ts';
import { ROLE_NAMESPACE as namespace, roleKubeconfig } from './role-account.ts';
import { install, leftovers, sharedHost } from './support.ts';

const host = sharedHost();
const pool = 'small';
const small = { pool, 'control-plane-machine-count': '1', 'worker-machine-count': '0' };

/** Where a claimer is killed: before the API server hears of the request, or once it has answered. */
const KILLS = [
  { request: /^PATCH .*\/clusters\//, where: 'request' },
  { request: /^PATCH .*\/clusters\//, where: 'answer' },
  { request: /^GET .*\/secrets\//, where: 'request' },
] as const;

/** What the pool consists of, by what `command: pool` reported. */
function conditionsOf({ outputs }: StepResult): Readonly<Record<string, string>> {
  const clusters = JSON.parse(outputs['clusters'] ?? '[]') as readonly { name: string; condition: string }[];
  return Object.fromEntries(clusters.map(({ name, condition }) => [name, condition]));
}

describe('a pool', () => {
  let kubeconfig = '';
  const start = jobStarter(host, { infrastructure: 'in-memory', namespace });
  const asRole = () => ({ 'host-kubeconfig': kubeconfig, 'host-kubeconfig-file': 'not-given' });
  const fill = async (inputs: Readonly<Record<string, string>>): Promise<StepResult> => {
    const main = await start({ command: 'pool', ...small, ...asRole(), ...inputs }).main();
    expect(main.exitCode, main.log).toBe(0);
    return main;
  };
  const claim = (runId: number, inputs: Readonly<Record<string, string>> = {}) =>
    start({ ...small, ...asRole(), ...inputs }, { env: { GITHUB_RUN_ID: String(runId) } });
  const marksOf = async (name: string) =>
    JSON.parse(await host.kubectl(['get', 'cluster', '-n', namespace, name, '-o', 'jsonpath={.metadata}'])) as {
      readonly labels: Readonly<Record<string, string>>;
      readonly annotations: Readonly<Record<string, string>>;
    };

  beforeAll(async () => {
    await install(host);
    kubeconfig = await roleKubeconfig(host);
  });

  it('gives a ready cluster to as many jobs as it has, and the next job creates one', async () => {
    const filled = await fill({ size: '2' });
    expect(conditionsOf(filled)).toEqual({ 'small-slot-1': 'ready', 'small-slot-2': 'ready' });
    expect(filled.log).toContain('✔ The pool small has 2 of 2 clusters ready');
    // Filling reads no kubeconfig of a cluster.
    expect(filled.masks.filter((mask) => mask.includes('PRIVATE KEY'))).toEqual([]);
    const again = await fill({ size: '2' });
    expect(again.log).not.toMatch(/deletion requested|▸ Apply/);

    const jobs = [101, 102, 103].map((runId) => claim(runId));
    const mains = await Promise.all(jobs.map((job) => job.main()));
    for (const { exitCode, log } of mains) expect(exitCode, log).toBe(0);
    const fromPool = mains.filter(({ outputs }) => outputs['pool'] === pool);
    expect(fromPool.map(({ outputs }) => outputs['name']).sort()).toEqual(['small-slot-1', 'small-slot-2']);
    const [cold, ...more] = mains.filter(({ outputs }) => outputs['pool'] !== pool);
    expect(more).toEqual([]);
    expect(cold?.log).toMatch(/ small: no cluster is free.*; creating a cluster instead/);
    for (const { outputs } of mains) {
      expect(outputs['created']).toBe('true');
      const nodes = ['kubectl', '--kubeconfig', outputs['kubeconfig-path'] ?? '', 'get', 'nodes', '-o', 'name'];
      expect((await host.run(nodes)).trim().split('\n')).toHaveLength(1);
    }
    for (const { outputs } of fromPool) {
      const { labels, annotations } = await marksOf(outputs['name'] ?? '');
      expect(labels).not.toHaveProperty([Labels.pool]);
      expect(labels[Labels.runId]).toMatch(/^10[123]$/);
      expect(annotations[Annotations.ephemeral]).toBe('true');
      expect(annotations[Annotations.fromPool]).toBe(pool);
      expect(annotations[Annotations.expiresAt]).toBe(outputs['expires-at']);
    }
    for (const post of await Promise.all(jobs.map((job) => job.post()))) expect(post.exitCode, post.log).toBe(0);
    for (const { outputs } of mains) await expectGone(host, namespace, outputs['name'] ?? '');
  });

  it('is refilled by other inputs without being empty meanwhile, and never touches a claimed cluster', async () => {
    await fill({ size: '2' });
    const holder = claim(201, { ephemeral: 'false', ttl: '1h' });
    const held = await holder.main();
    expect(held.exitCode, held.log).toBe(0);
    const name = held.outputs['name'] ?? '';
    const filled = await fill({ size: '1', 'worker-machine-count': '1' });
    expect(filled.log).toMatch(/small-slot-\d: deletion requested, it is stale, and the pool is full without it/);
    expect(filled.log.indexOf('▸ Apply')).toBeLessThan(filled.log.indexOf('it is stale'));
    expect(Object.values(conditionsOf(filled)).filter((one) => one === 'ready')).toHaveLength(1);
    expect(conditionsOf(filled)).not.toHaveProperty([name]);
    // The inputs of the first job no longer suit.
    const cold = claim(202, { 'wait-for': 'none' });
    const main = await cold.main();
    expect(main.exitCode, main.log).toBe(0);
    expect(main.log).toContain('made by other inputs or another version of the action');
    expect((await cold.post()).exitCode).toBe(0);

    const free = Object.entries(conditionsOf(filled)).find(([, condition]) => condition === 'ready')?.[0] ?? '';
    for (const command of ['kubeconfig', 'scale', 'create']) {
      const refused = await start({
        command,
        name: free,
        ephemeral: 'false',
        replicas: ':1',
        'wait-for': 'none',
      }).main();
      expect(refused.exitCode).toBe(1);
      expect(refused.log).toMatch(/it is a free member of the pool small {3}KNEST_OWNED_BY_OTHER/);
    }
    const emptied = await fill({ size: '0' });
    expect(Object.values(conditionsOf(emptied)).filter((one) => one !== 'leaving')).toEqual([]);
    await expectGone(host, namespace, free);
    expect((await marksOf(name)).annotations[Annotations.fromPool]).toBe(pool);
    const removal = await start({ command: 'delete', name }).main();
    expect(removal.exitCode, removal.log).toBe(0);
    expect(await leftovers(host, namespace, pool)).toEqual([]);
  });

  it('leaves nothing claimed when a claimer is killed before its claim, after it, or while it looks at its cluster', async () => {
    await fill({ size: '3' });
    const proxy = await FaultProxy.start(readFileSync(host.kubeconfig, 'utf8'), (argv) => host.command(argv));
    onTestFinished(() => proxy.stop());
    const killed: Job[] = [];
    // One after the other: two that want the same cluster would not both come as far as they are to.
    for (const [index, { request, where }] of KILLS.entries()) {
      let isDead = false;
      const kill = (): void => {
        isDead = true;
        job.process?.kill('SIGKILL');
      };
      const judge: Judge = {
        decide({ what }) {
          // The post step may send the same request.
          if (isDead || !request.test(what)) return pass;
          if (where === 'request') kill();
          return { kind: 'cut', where };
        },
        answered({ what }) {
          if (!isDead && request.test(what)) kill();
        },
      };
      const job = claim(300 + index, { 'host-kubeconfig': proxy.admit(judge) });
      const main = await job.main();
      expect(main.signal, main.log).toBe('SIGKILL');
      killed.push(job);
    }
    for (const post of await Promise.all(killed.map((job) => job.post()))) {
      expect(post.exitCode, post.log).toBe(0);
      expect(complaintsOf(post.log), post.log).toEqual([]);
    }
    const names = ['get', 'cluster', '-n', namespace, '-o', 'name'];
    const free = await host.kubectl([...names, '-l', `${Labels.pool}=${pool}`]);
    expect(free.trim().split('\n')).toHaveLength(1);
    await fill({ size: '0' });
    await expect.poll(() => host.kubectl(names), { timeout: 120_000, interval: 1_000 }).not.toContain('/small-slot-');
  });

  it('gives 5 members to exactly 5 of 20 claimers, while controllers write to them', async () => {
    const members = [1, 2, 3, 4, 5].map((slot) => ({
      apiVersion: 'cluster.x-k8s.io/v1beta2',
      kind: 'Cluster',
      metadata: {
        name: `raced-slot-${slot}`,
        namespace,
        labels: { ...repositoryLabels({ server: 'github.com', repositoryId: '4711' }), [Labels.pool]: 'raced' },
        annotations: { [Annotations.poolFingerprint]: 'ours' },
      },
      spec: { paused: true, infrastructureRef: { apiGroup: 'example.com', kind: 'None', name: 'none' } },
    }));
    await host.kubectl(['create', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items: members }));
    const lines = (await host.run(supportProgram('claimers.ts', host.kubeconfig, namespace, 'raced', '20'))).trim();
    const winners = lines.split('\n').filter((line) => line !== '-');
    expect(lines.split('\n')).toHaveLength(20);
    const names = members.map(({ metadata }) => metadata.name);
    expect(winners.map((line) => line.split(' ')[0]).sort()).toEqual(names);
    for (const line of winners) {
      const [name = '', token = ''] = line.split(' ');
      const { labels, annotations } = await marksOf(name);
      expect(labels).not.toHaveProperty([Labels.pool]);
      expect(annotations[Annotations.claim]).toBe(token);
    }
    await host.kubectl(['delete', 'cluster', '-n', namespace, ...names, '--wait=false']);
    // Cluster API leaves alone what is paused.
    const unheld = JSON.stringify({ metadata: { finalizers: null } });
    await host.kubectl(['patch', 'cluster', '-n', namespace, ...names, '--type=merge', '-p', unheld]);
  });
});
