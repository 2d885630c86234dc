import { describe, expect, it } from 'vitest';
import { makeBoundVolume } from './bound-volume.ts';
import { expectGone } from './expect.ts';
import { jobStarter } from './jobs.ts';
import { probeApi } from './probe.ts';
import type { StepResult } from '../support/runner.ts';
import { replicasOf, sharedHost } from './support.ts';

const host = sharedHost();
const namespace = 'scaled';

interface MachineDeployment {
  readonly apiVersion: string;
  readonly kind: string;
  readonly spec: { readonly template: { readonly spec: object } };
}

describe('scale', () => {
  const job = jobStarter(host, { namespace });

  it('gives a cluster of in-memory machines 3 control planes and 10 workers', async () => {
    const creator = job({ name: 'many', infrastructure: 'in-memory' });
    const created = await creator.main();
    expect(created.exitCode, created.log).toBe(0);
    const scaled = await job({ command: 'scale', name: 'many', replicas: '3:10' }).main();
    expect(scaled.exitCode, scaled.log).toBe(0);
    expect(scaled.log).toContain('✔ many is scaled (control plane: 3, workers: 10)');
    expect(await replicasOf(host, namespace, 'many')).toBe('3:10');
    await creator.post();
  });

  it('scales the named MachineDeployment of several', async () => {
    const creator = job({ name: 'pools', infrastructure: 'in-memory' });
    const created = await creator.main();
    expect(created.exitCode, created.log).toBe(0);
    const deployment = ['machinedeployment', '-n', namespace];
    const text = await host.kubectl(['get', ...deployment, 'pools-md-0', '-o', 'json']);
    const { apiVersion, kind, spec } = JSON.parse(text) as MachineDeployment;
    const template = { spec: spec.template.spec };
    // Cluster API sets its selector and labels.
    const second = { clusterName: 'pools', replicas: 1, selector: {}, template };
    const object = { apiVersion, kind, metadata: { name: 'pools-gpu', namespace }, spec: second };
    await host.kubectl(['create', '-f', '-'], JSON.stringify(object));

    const refused = await job({ command: 'scale', name: 'pools', replicas: ':2' }).main();
    expect(refused.exitCode).toBe(1);
    expect(refused.log).toContain('it has several MachineDeployments (pools-gpu, pools-md-0)   KNEST_SCALE');
    expect(refused.log).toContain("Next: name the one you mean: replicas ':pools-gpu=2'");
    const scaled = await job({ command: 'scale', name: 'pools', replicas: ':pools-gpu=2' }).main();
    expect(scaled.exitCode, scaled.log).toBe(0);
    expect(scaled.log).toContain('✔ pools is scaled (control plane: 1, workers: 3)');
    const replicas = 'jsonpath={range .items[*]}{.metadata.name} {.spec.replicas}{"\\n"}{end}';
    expect(
      await host.kubectl(['get', ...deployment, '-l', 'cluster.x-k8s.io/cluster-name=pools', '-o', replicas]),
    ).toBe('pools-gpu 2\npools-md-0 1\n');
    await creator.post();
    await expectGone(host, namespace, 'pools');
  });

  it('refuses a missing cluster, an even number of control planes, and autoscaled workers', async () => {
    const missing = await job({ command: 'scale', name: 'nobody', replicas: '3:1' }).main();
    expect(missing.log).toContain('✖ there is no cluster scaled/nobody   KNEST_NOT_FOUND');
    const even = await job({ command: 'scale', name: 'nobody', replicas: '2:1' }).main();
    expect(even.log).toContain('replicas: etcd needs an odd number of control-plane machines, from 1 to 9, not 2');
    const creator = job({ name: 'automatic', infrastructure: 'in-memory', 'wait-for': 'none' });
    await creator.main();
    const annotation = 'cluster.x-k8s.io/cluster-api-autoscaler-node-group-max-size=5';
    await host.kubectl(['annotate', 'machinedeployment', 'automatic-md-0', '-n', namespace, annotation]);
    const refused = await job({ command: 'scale', name: 'automatic', replicas: ':3' }).main();
    expect(refused.exitCode).toBe(1);
    expect(refused.log).toContain('automatic cannot be scaled: an autoscaler controls its workers');
    await creator.post();
  });

  it.skipIf(!host.hasVirtink)('grows and shrinks etcd while the nested API answers (needs Virtink)', async () => {
    const creator = job({ name: 'elastic' });
    const created = await creator.main();
    expect(created.exitCode, created.log).toBe(0);
    const kubeconfig = created.outputs['kubeconfig-path'] ?? '';
    const kubectl = (...args: string[]): Promise<string> => host.run(['kubectl', '--kubeconfig', kubeconfig, ...args]);
    const to = async (replicas: string): Promise<StepResult> => {
      const scale = job({ command: 'scale', name: 'elastic', replicas });
      const scaled = await scale.main();
      const post = await scale.post();
      expect(post.exitCode, post.log).toBe(0);
      return scaled;
    };
    const probe = probeApi(host, kubeconfig);
    const grown = await to('3:2');
    expect(grown.exitCode, grown.log).toBe(0);
    expect(grown.log).not.toContain('▸ Volumes');
    expect(await replicasOf(host, namespace, 'elastic')).toBe('3:2');

    // Data on the disk of a worker keeps the workers, and no control plane.
    const workers = ['get', 'nodes', '-l', '!node-role.kubernetes.io/control-plane'];
    const worker = await kubectl(...workers, '-o', 'jsonpath={.items[0].metadata.name}');
    await makeBoundVolume(host, kubeconfig, worker);
    const refused = await to('1:0');
    expect(refused.log).toContain('volumes on the disks of machines that may be removed would be lost   KNEST_SCALE');
    expect(refused.log).toContain(`PersistentVolume data of PersistentVolumeClaim default/data, on node ${worker}`);
    expect(await replicasOf(host, namespace, 'elastic')).toBe('3:2');
    const fewer = await to('1:');
    expect(fewer.exitCode, fewer.log).toBe(0);
    expect(fewer.log).toContain('none on the disks of machines that may be removed; API by cluster-ip');
    await kubectl('delete', 'persistentvolumeclaim', 'data');
    const empty = await to(':0');
    expect(empty.exitCode, empty.log).toBe(0);
    expect(await replicasOf(host, namespace, 'elastic')).toBe('1:0');
    await probe.end();
    console.log(`the nested API answered ${probe.answers} times; longest gap ${probe.longestGap.toFixed(1)} s`);
    expect(probe.answers).toBeGreaterThan(30);
    expect(probe.longestGap).toBeLessThan(30);
    const post = await creator.post();
    expect(post.exitCode, post.log).toBe(0);
    await expectGone(host, namespace, 'elastic');
  });
});
