import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { certManagerChart } from '../host/cert-manager.ts';
import { down, up, type Host } from '../host/host.ts';
import { parts, versions } from '../host/modules.ts';
import { Renderer } from '../host/renderer.ts';
import { silent } from '../host/report.ts';
import { initOlder } from './clusterctl.ts';
import { hostName as sharedName, jobOn, leftovers } from './support.ts';

const hostName = `${sharedName}-others`;
const namespace = 'knest';
const needed: readonly string[] = ['virtink', 'older-cluster-api'];

/** What a host has that the company installed: nothing of it is where the action would put it. */
describe('a host with cert-manager and an older Cluster API, in places of their own', () => {
  let host: Host;
  let directory: string;
  /** Everything of theirs that could be changed: a generation counts the changes of a specification. */
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
    rmSync(directory, { recursive: true, force: true });
  });

  it('gets what it lacks and a cluster, and nothing that was there changes', async (context) => {
    if (!host.hasVirtink) context.skip('needs the release assets of Virtink');
    const [before, definitionsBefore] = [await theirs(), await definitions()];
    const job = jobOn(host, { name: 'guest', namespace, 'worker-machine-count': '0', 'wait-for': 'control-plane' });
    const main = await job.main();
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
    const post = await job.post();
    expect(post.exitCode, post.log).toBe(0);
    expect(await leftovers(host, namespace, 'guest')).toEqual([]);
    job.clean();
  });
});
