import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { versions } from '../host/modules.ts';
import type { StepResult } from '../support/runner.ts';
import { expectGone } from './expect.ts';
import { jobStarter } from './jobs.ts';
import { leftovers, sharedHost } from './support.ts';

const host = sharedHost();
const namespace = 'cluster-template';
const otherNames = join(import.meta.dirname, 'templates/other-names.yaml');
/** In-memory machines of Cluster API, used like any other provider: by name and version, with a user’s template. */
const infrastructure = `docker:${versions.clusterAPI}`;
const team = { 'template-variables': 'TEAM=blue' };

describe('a template of the user', () => {
  const common = { infrastructure, namespace, 'cluster-template': otherNames, ...team };
  const start = jobStarter(host, common);
  const done = async (step: Promise<StepResult>): Promise<StepResult> => {
    const result = await step;
    expect(result.exitCode, result.log).toBe(0);
    return result;
  };
  const labels = async (kind: string, name: string): Promise<string[]> => {
    const answer = await host.kubectl(['get', kind, '-n', namespace, name, '-o', 'jsonpath={.metadata.labels}']);
    return Object.keys(JSON.parse(answer) as object);
  };

  it('makes a cluster like any other: owned, followed, scaled and deleted, whatever its parts are named', async () => {
    const job = start({ name: 'named', 'worker-machine-count': '2', 'wait-for': 'nodes' });
    const main = await done(job.main());
    expect(main.log).toContain('inputs ignored by this template: control-plane-machine-count,');
    expect(main.log).toContain('it has no MachineHealthCheck: a machine that fails is not replaced');
    expect(main.log).toContain(
      'only one cluster at a time can use this template, since these objects are not named after the cluster: ConfigMap team-settings',
    );
    expect(main.log).toMatch(/ 7 objects of \/\S+\/other-names\.yaml, their names are free/m);
    const selected = ['-l', 'cluster.x-k8s.io/cluster-name=named,knest-action/managed=true', '-o', 'name'];
    const machines = await host.kubectl(['get', 'machines', '-n', namespace, ...selected]);
    expect(machines.trim().split('\n')).toHaveLength(3);
    for (const [kind, name] of [
      ['cluster', 'named'],
      ['kubeadmcontrolplane', 'named-masters'],
      ['devmachinetemplate', 'named-machine'],
      ['configmap', 'team-settings'],
    ] as const) {
      expect(await labels(kind, name)).toEqual(expect.arrayContaining(['knest-action/repository-id']));
    }
    const other = await start({ name: 'second' }).main();
    expect(other.log).toContain(
      `the template has ConfigMap ${namespace}/team-settings, which exists already and belongs to the cluster named`,
    );
    expect(await leftovers(host, namespace, 'second')).toEqual([]);
    await done(start({ command: 'scale', name: 'named', replicas: '3:1' }).main());
    const scaled = await host.kubectl(['get', 'machines', '-n', namespace, ...selected]);
    expect(scaled.trim().split('\n')).toHaveLength(4);
    await done(job.post());
    await expectGone(host, namespace, 'named');
    await expect
      .poll(() => host.kubectl(['get', 'configmap', '-n', namespace, 'team-settings', '--ignore-not-found']), {
        timeout: 300_000,
      })
      .toBe('');
  });

  it('can come from a ConfigMap', async () => {
    await host.kubectl(['create', 'namespace', namespace]).catch(() => undefined);
    await host.kubectl(['delete', 'configmap', '-n', namespace, 'store', '--ignore-not-found']);
    const file = join(import.meta.dirname, '../../src/cluster/template/templates/in-memory.yaml');
    await host.kubectl(['create', 'configmap', '-n', namespace, 'store', `--from-file=template=${file}`]);
    const job = start({
      name: 'stored',
      'cluster-template': `configmap:${namespace}/store`,
      'worker-machine-count': '0',
      'wait-for': 'none',
    });
    const main = await done(job.main());
    expect(main.log).toContain(` 7 objects of ConfigMap ${namespace}/store`);
    await done(job.post());
    await host.kubectl(['delete', 'configmap', '-n', namespace, 'store']);
  });

  it('does not see the environment of the job, and the error shows the line that passes a variable', async () => {
    const env = { TEAM: 'blue', ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'a-token-of-the-job-1234' };
    const job = start({ name: 'refused', 'template-variables': '' }, { env });
    const main = await job.main();
    expect(main.exitCode).toBe(1);
    expect(main.log).toMatch(/needs variables that are not set: TEAM {3}KNEST_TEMPLATE$/m);
    expect(main.log).toContain('  template-variables: |\n    TEAM=${{ env.TEAM }}\n');
    expect(await leftovers(host, namespace, 'refused')).toEqual([]);
  });

  it('passes nothing from the job to the host, wherever the template comes from', async () => {
    const secret = 'a-token-of-the-job-1234';
    const file = join(import.meta.dirname, '../../src/cluster/template/templates/in-memory.yaml');
    const loot = [
      'apiVersion: v1',
      'kind: ConfigMap',
      "metadata: { name: '${CLUSTER_NAME}-loot' }",
      "data: { token: '${ACTIONS_ID_TOKEN_REQUEST_TOKEN:=none}', key: '${AWS_SECRET_ACCESS_KEY:=none}' }",
    ];
    const text = [readFileSync(file, 'utf8'), '---', ...loot].join('\n');
    await host.kubectl(['create', 'namespace', namespace]).catch(() => undefined);
    await host.kubectl(['delete', 'configmap', '-n', namespace, 'hostile', '--ignore-not-found']);
    await host.kubectl(['create', 'configmap', '-n', namespace, 'hostile', `--from-literal=template=${text}`]);
    const env = { ACTIONS_ID_TOKEN_REQUEST_TOKEN: secret, AWS_SECRET_ACCESS_KEY: secret };
    const inputs = { 'cluster-template': `configmap:${namespace}/hostile`, 'template-variables': '' };
    const job = start({ name: 'looted', 'worker-machine-count': '0', 'wait-for': 'none', ...inputs }, { env });
    const main = await done(job.main());
    expect(main.log).toContain(
      `::warning::the template ConfigMap ${namespace}/hostile asks for ACTIONS_ID_TOKEN_REQUEST_TOKEN, which belongs to the job and is not passed on`,
    );
    const made = await host.kubectl(['get', 'configmap', '-n', namespace, 'looted-loot', '-o', 'jsonpath={.data}']);
    expect(JSON.parse(made)).toEqual({ token: 'none', key: 'none' });
    await done(job.post());
    await host.kubectl(['delete', 'configmap', '-n', namespace, 'hostile']);
  });

  it.each<[string, Readonly<Record<string, string>>, RegExp]>([
    ['that does not exist', { 'cluster-template': 'gone.yaml' }, /^ {2}cluster-template: gone\.yaml cannot be read/m],
    [
      'in a ConfigMap that does not exist',
      { 'cluster-template': 'configmap:kube-system/gone' },
      /^ {2}cluster-template: there is no ConfigMap kube-system\/gone$/m,
    ],
    [
      'with a wrong checksum',
      {
        'cluster-template': `https://github.com/kubernetes-sigs/cluster-api/releases/download/${versions.clusterAPI}/metadata.yaml#sha256=${'0'.repeat(64)}`,
      },
      /metadata\.yaml does not match its checksum {3}KNEST_CHECKSUM$/m,
    ],
    [
      'without a Cluster',
      {
        'cluster-template': `https://github.com/kubernetes-sigs/cluster-api/releases/download/${versions.clusterAPI}/clusterclass-in-memory.yaml`,
      },
      /the template has no Cluster; it must have exactly one {3}KNEST_TEMPLATE$/m,
    ],
    [
      'whose documents are not Kubernetes objects',
      {
        'cluster-template': `https://github.com/kubernetes-sigs/cluster-api/releases/download/${versions.clusterAPI}/metadata.yaml`,
      },
      /the template cannot be used: document 1 \(Metadata\) has no metadata {3}KNEST_TEMPLATE$/m,
    ],
  ])('%s is refused, and nothing is created', async (_what, inputs, message) => {
    const main = await start({ name: 'refused', ...inputs }).main();
    expect(main.exitCode).toBe(1);
    expect(main.log).toMatch(message);
    expect(await leftovers(host, namespace, 'refused')).toEqual([]);
  });
});
