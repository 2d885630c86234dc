import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NOT_GIVEN } from '../../src/inputs/reading/reader.ts';
import { certManagerChart } from '../host/cert-manager.ts';
import { down, up, type Host } from '../host/host.ts';
import { parts, versions } from '../host/modules.ts';
import { Renderer } from '../host/renderer.ts';
import { silent } from '../host/report.ts';
import { initOlder } from './clusterctl.ts';
import type { Job, StepResult } from '../support/runner.ts';
import { complaintsOf, expectGone } from './expect.ts';
import { ROLE_NAMESPACE, roleKubeconfig } from './role-account.ts';
import { hostName as sharedName, jobOn, leftovers } from './support.ts';

const hostName = `${sharedName}-others`;
const namespace = ROLE_NAMESPACE;
/** Milliseconds: the upgrade of a host’s only control plane, or the failover of a load balancer. */
const OUTAGE = 60_000;
const needed: readonly string[] = ['virtink', 'older-cluster-api'];

/** Components that somebody else installed, in namespaces that the action does not use. */
describe('a host with cert-manager and an older Cluster API in other namespaces', () => {
  let host: Host;
  let guest: Job;
  const jobs: Job[] = [];
  const start = (inputs: Readonly<Record<string, string>>, onLine: (line: string) => void = () => undefined): Job => {
    const job = jobOn(host, { namespace, 'worker-machine-count': '0', ...inputs }, { onLine });
    jobs.push(job);
    return job;
  };
  let directory: string;
  /** Every Deployment that the action could change: a generation counts the changes of a spec. */
  const theirs = (): Promise<string> => {
    const path = 'jsonpath={range .items[*]}{.metadata.namespace}/{.metadata.name} {.metadata.generation}{"\\n"}{end}';
    return host.kubectl(['get', 'deployments', '-A', '-o', path]);
  };
  const definitions = (): Promise<string> => {
    const path = 'jsonpath={range .items[*]}{.metadata.name} {.metadata.generation}{"\\n"}{end}';
    return host.kubectl(['get', 'crds', '-o', path]);
  };
  const lines = (text: string): readonly string[] => text.trim().split('\n');

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'knest-others-'));
    await down(hostName, silent);
    host = await up({ name: hostName, without: parts.filter((part) => !needed.includes(part)) }, silent);
    const renderer = new Renderer(directory, new Map([['helm', join(host.binaries, 'helm')]]));
    const chart = await certManagerChart(renderer, { name: 'cm', namespace: 'infra' });
    await host.kubectl(['create', 'namespace', 'infra']);
    await host.kubectl(['apply', '-f', '-'], chart);
    for (const name of ['cm-cert-manager', 'cm-cert-manager-cainjector', 'cm-cert-manager-webhook']) {
      await host.kubectl(['rollout', 'status', '-n', 'infra', `deployment/${name}`, '--timeout=110s']);
    }
    await initOlder(host, 'company-capi');
  });

  afterAll(async () => {
    await down(hostName, silent);
    jobs.forEach((job) => job.clean());
    rmSync(directory, { recursive: true, force: true });
  });

  it('gets the missing components and a cluster, and existing components do not change', async (context) => {
    if (!host.hasVirtink) context.skip('needs the release assets of Virtink');
    const [before, definitionsBefore] = [await theirs(), await definitions()];
    guest = start({ name: 'guest', 'wait-for': 'control-plane' });
    const main = await guest.main();
    expect(main.exitCode, main.log).toBe(0);
    expect(main.log).toContain(
      `cert-manager ${versions.certManager}, Cluster API ${versions.olderClusterAPI}, no Virtink`,
    );
    expect(main.log).not.toMatch(
      /(cert-manager|Cluster API|kubeadm \w+( plane)? provider) v\S+ is (missing|incomplete)/,
    );
    expect(lines(await theirs())).toEqual(expect.arrayContaining([...lines(before)]));
    expect(lines(await definitions())).toEqual(expect.arrayContaining([...lines(definitionsBefore)]));
    const namespaces = await host.kubectl(['get', 'namespaces', '-o', 'name']);
    expect(namespaces).not.toMatch(/namespace\/(cert-manager|capi-.*system)$/m);
  });

  it('may lose its API server for a minute: waiting jobs go on, with the Role of docs/rbac', async (context) => {
    if (!host.hasVirtink) context.skip('needs the release assets of Virtink');
    const gone = ['cluster', '-n', namespace, 'gone'];
    const held = 'test.example/held';
    const patch = (type: 'merge' | 'json', body: unknown): Promise<string> =>
      host.kubectl(['patch', ...gone, `--type=${type}`, '-p', JSON.stringify(body)]);
    const path = '/metadata/finalizers/0';
    // Its own finalizer stays, for Cluster API to remove once all that belongs to it is gone.
    const release = [
      { op: 'test', path, value: held },
      { op: 'remove', path },
    ];
    expect(await start({ name: 'gone', ephemeral: 'false', 'wait-for': 'none' }).main()).toMatchObject({ exitCode: 0 });
    await patch('merge', { metadata: { finalizers: [held, 'cluster.cluster.x-k8s.io'] } });

    const account = { 'host-kubeconfig': await roleKubeconfig(host), 'host-kubeconfig-file': NOT_GIVEN };
    const ends: Promise<StepResult>[] = [];
    /** Starts a job, and resolves when a line of its log says that it waits. */
    const begin = async (inputs: Readonly<Record<string, string>>, line: RegExp): Promise<Job> => {
      const { promise: waits, resolve } = Promise.withResolvers<undefined>();
      const job = start(inputs, (text) => {
        if (line.test(text)) resolve(undefined);
      });
      const end = job.main();
      ends.push(end);
      const early = await Promise.race([waits, end]);
      if (early !== undefined) expect(early.log, 'it ended before the outage').toBe('');
      return job;
    };
    const [create] = await Promise.all([
      // Only Cluster API says when its machine is a node, and it needs the host for that.
      begin({ ...account, name: 'new', 'wait-for': 'nodes' }, /machine new-cp-\S+: created/),
      begin({ ...account, command: 'delete', name: 'gone' }, /deletion requested|Waiting|DeletionCompleted/),
    ]);
    await begin({ ...account, command: 'scale', name: 'guest', replicas: ':1' }, /infrastructure: API at/);
    await host.withoutControlPlane(() => delay(OUTAGE));
    // The controllers lost their leases, and with them the webhook.
    await expect
      .poll(() => patch('json', release).catch(String), { timeout: 300_000, interval: 1_000 })
      .toContain(' patched');
    for (const { exitCode, log } of await Promise.all(ends)) {
      expect(log).toMatch(/the API server no longer answers \(.+\); waiting for it$/m);
      expect(log).toMatch(/the API server answers again after \S+$/m);
      expect(exitCode, log).toBe(0);
    }
    expect(await leftovers(host, namespace, 'gone')).toEqual([]);
    const posts = await Promise.all([guest, create].map((job) => job.post()));
    for (const { exitCode, log } of posts) {
      expect(exitCode, log).toBe(0);
      expect(complaintsOf(log)).toEqual([]);
    }
    for (const name of ['guest', 'new']) await expectGone(host, namespace, name);
  });
});
