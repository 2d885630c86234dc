import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HELPER_IMAGE } from '../../src/catalog/addon-releases.ts';
import { until } from '../host/process.ts';
import type { Job, StepResult } from '../support/runner.ts';
import { expectGone } from './expect.ts';
import { jobStarter } from './jobs.ts';
import { jobOn, sharedHost } from './support.ts';

const namespace = 'addons';
const host = sharedHost();
const files = mkdtempSync(join(tmpdir(), 'knest-addons-'));
afterAll(() => rmSync(files, { recursive: true }));

/** Everything before what it needs, and one object in a namespace that only the test makes. */
const SHUFFLED = `
apiVersion: example.com/v1
kind: Widget
metadata: { name: one, namespace: widgets }
---
{ apiVersion: v1, kind: ConfigMap, metadata: { name: in-widgets, namespace: widgets } }
---
{ apiVersion: v1, kind: ConfigMap, metadata: { name: without-namespace } }
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: { name: widgets.example.com }
spec:
  group: example.com
  scope: Namespaced
  names: { kind: Widget, plural: widgets, singular: widget }
  versions:
    - name: v1
      served: true
      storage: true
      schema: { openAPIV3Schema: { type: object, x-kubernetes-preserve-unknown-fields: true } }
---
{ apiVersion: v1, kind: Namespace, metadata: { name: widgets } }
`;
const LATE = '{ apiVersion: v1, kind: ConfigMap, metadata: { name: in-late, namespace: late } }\n';

const CLAIM = `
apiVersion: v1
kind: PersistentVolumeClaim
metadata: { name: data }
spec:
  accessModes: [ReadWriteOnce]
  resources: { requests: { storage: 1Mi } }
`;

/** A pod that runs a command of the shell once, with the volume at /data. */
function pod(name: string, command: string): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name },
    spec: {
      restartPolicy: 'Never',
      containers: [
        {
          name: 'shell',
          image: HELPER_IMAGE,
          command: ['/bin/sh', '-c', command],
          volumeMounts: [{ name: 'data', mountPath: '/data' }],
        },
      ],
      volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }],
    },
  });
}

describe.skipIf(!host.hasVirtink)('add-ons of a cluster (needs the release assets of Virtink)', () => {
  let job: Job;
  let main: StepResult;
  let kubeconfig: string;
  const nested = (args: readonly string[], input = ''): Promise<string> =>
    host.run(['kubectl', '--kubeconfig', kubeconfig, ...args], { input });

  beforeAll(async () => {
    const shuffled = join(files, 'shuffled.yaml');
    const late = join(files, 'late.yaml');
    writeFileSync(shuffled, SHUFFLED);
    writeFileSync(late, LATE);
    let makeNamespace: Promise<unknown> | undefined;
    const inputs = {
      name: 'extras',
      namespace,
      cni: 'flannel',
      addons: `local-path-provisioner, metrics-server\n${shuffled}, ${late}`,
      'wait-for': 'nodes',
    };
    job = jobOn(host, inputs, {
      onLine: (line) => {
        // Once the wait has said what is missing.
        if (/resource set extras-addons: is not applied yet: .*"late" not found/.test(line)) {
          kubeconfig = join(job.temp, 'knest', 'extras.kubeconfig');
          makeNamespace ??= nested(['create', 'namespace', 'late']);
        }
      },
    });
    main = await job.main();
    expect(main.exitCode, main.log).toBe(0);
    kubeconfig = main.outputs['kubeconfig-path'] ?? '';
    await makeNamespace;
  });
  afterAll(() => job.clean());

  it('are applied, whatever the order of their objects, and awaited with a reason for what is missing', async () => {
    expect(main.log).toMatch(
      /^▸ Add-ons +local-path-provisioner v0\.0\.37, metrics-server v0\.9\.0, \S+, \S+ \(\d+ objects\)/m,
    );
    const waiting = main.log.slice(main.log.indexOf('▸ Wait for add-ons'));
    expect(waiting).toMatch(/ s {2}resource set extras-addons: is not applied yet: .*namespaces "late" not found/);
    expect(waiting).toMatch(/ s {2}resource set extras-addons: applied to the nested cluster$/m);
    expect(waiting).toMatch(/ s {2}Deployment local-path-storage\/local-path-provisioner: available$/m);
    expect(waiting).toMatch(/ s {2}APIService v1beta1\.metrics\.k8s\.io: available$/m);
    const widget = ['get', 'widgets.example.com', 'one', '-n', 'widgets', '-o', 'name'];
    expect(await nested(widget)).toBe('widget.example.com/one\n');
    expect(await nested(['get', 'configmap', '-n', 'default', 'without-namespace', '-o', 'name'])).not.toBe('');
    expect(main.summary).toContain('add-ons: local-path-provisioner v0.0.37, metrics-server v0.9.0');
  });

  it('keep a file in a volume of the default StorageClass', async () => {
    await nested(['apply', '-f', '-'], `${CLAIM}---\n${pod('writer', 'echo kept > /data/file')}`);
    const succeeded = '--for=jsonpath={.status.phase}=Succeeded';
    await nested(['wait', 'pod/writer', succeeded, '--timeout=120s']);
    expect(await nested(['get', 'pvc', 'data', '-o', 'jsonpath={.status.phase} {.spec.storageClassName}'])).toBe(
      'Bound local-path',
    );
    await nested(['apply', '-f', '-'], pod('reader', 'read line < /data/file; echo $line'));
    await nested(['wait', 'pod/reader', succeeded, '--timeout=120s']);
    expect(await nested(['logs', 'reader'])).toBe('kept\n');
  });

  it('measure the nodes', async () => {
    // metrics-server is available with its first sample, and rates take two.
    await until('metrics of both nodes', 120_000, async () => {
      const lines = await nested(['top', 'nodes', '--no-headers']).catch(() => '');
      return (
        lines
          .trim()
          .split('\n')
          .filter((line) => /^extras-\S+ +\d+m /.test(line)).length === 2
      );
    });
  });

  it('are deleted with the cluster', async () => {
    const before = await host.kubectl(['get', 'clusterresourceset,secret', '-n', namespace, '-o', 'name']);
    expect(before).toContain('secret/extras-addons');
    expect(before).toContain('clusterresourceset.addons.cluster.x-k8s.io/extras-addons');
    const post = await job.post();
    expect(post.exitCode, post.log).toBe(0);
    await expectGone(host, namespace, 'extras');
  });
});

/** In-memory machines of Cluster API accept the objects, though no pod runs. */
describe('an adopted cluster', () => {
  const common = { infrastructure: 'in-memory', namespace, name: 'kept', ephemeral: 'false', 'wait-for': 'none' };
  const start = jobStarter(host, common);

  it('keeps its add-ons, and the log names the difference', async () => {
    const own = join(files, 'own.yaml');
    writeFileSync(own, '{ apiVersion: v1, kind: ConfigMap, metadata: { name: own, namespace: kube-system } }\n');
    const first = await start({ addons: own }).main();
    expect(first.exitCode, first.log).toBe(0);
    const again = await start({ addons: `${own}, metrics-server` }).main();
    expect(again.exitCode, again.log).toBe(0);
    expect(again.log).toMatch(/^::warning::kept stays as it is: its add-ons are \S+own\.yaml \(1 objects\), not /m);
    const deleted = await start({ command: 'delete' }).main();
    expect(deleted.exitCode, deleted.log).toBe(0);
    await expectGone(host, namespace, 'kept');
  });
});
