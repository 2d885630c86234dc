import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Host } from '../host/host.ts';
import { kubevirtNodeImage } from '../host/kubevirt.ts';
import { versions } from '../host/modules.ts';
import { until } from '../host/process.ts';

const namespace = 'kubevirt-host';
const name = 'guest';
const minute = 60_000;
const ofCluster = `cluster.x-k8s.io/cluster-name=${name}`;

/**
 * Tests KubeVirt's controllers and its Cluster API provider without the action: proof of what the host's README says.
 * `hostWithKubevirt`: gives a host that has both.
 */
export function testKubevirtHost(hostWithKubevirt: () => Host): void {
  describe('a host with KubeVirt', { timeout: 15 * minute }, () => {
    let directory: string;
    let host: Host;
    const kubectl = (...args: string[]): Promise<string> => host.run(['kubectl', ...args], { timeout: 9 * minute });
    /** Names of the objects of some kinds in the namespace, `kind/name` each. */
    const names = async (kinds: string, selector: string): Promise<string[]> => {
      const text = await kubectl('get', kinds, '-n', namespace, '-l', selector, '-o', 'name');
      return text.split('\n').filter((line) => line !== '');
    };
    const nested = (...args: string[]): Promise<string> =>
      host.run(['kubectl', '--kubeconfig', join(directory, 'kubeconfig'), ...args]);

    beforeAll(async () => {
      directory = mkdtempSync(join(tmpdir(), 'knest-kubevirt-'));
      host = hostWithKubevirt();
      await kubectl('create', 'namespace', namespace);
    });

    afterAll(() => {
      rmSync(directory, { recursive: true, force: true });
    });

    it('offers the devices and the label that pods of VMs need', async () => {
      const node = JSON.parse(await kubectl('get', 'node', 'host', '-o', 'json')) as {
        metadata: { labels: Record<string, string> };
        status: { allocatable: Record<string, string> };
      };
      expect(node.metadata.labels).toMatchObject({ 'kubevirt.io/schedulable': 'true' });
      const devices = Object.fromEntries(
        ['kvm', 'tun', 'vhost-net'].map((device) => [`devices.kubevirt.io/${device}`, '1k']),
      );
      expect(node.status.allocatable).toMatchObject(devices);
    });

    it('creates a cluster whose nodes join', async () => {
      const values = {
        CLUSTER_NAME: name,
        KUBERNETES_VERSION: versions.kubernetes,
        NODE_VM_IMAGE_TEMPLATE: kubevirtNodeImage,
      };
      let text = readFileSync(join(import.meta.dirname, 'templates/kubevirt.yaml'), 'utf8');
      for (const [variable, value] of Object.entries(values)) text = text.replaceAll(`\${${variable}}`, value);
      await host.kubectl(['apply', '-n', namespace, '-f', '-'], text);
      const secret = ['get', 'secret', '-n', namespace, `${name}-kubeconfig`, '--ignore-not-found'];
      const kubeconfig = await until('the kubeconfig', 5 * minute, async () => {
        const value = await kubectl(...secret, '-o', 'jsonpath={.data.value}');
        return value === '' ? undefined : value;
      });
      writeFileSync(join(directory, 'kubeconfig'), Buffer.from(kubeconfig, 'base64'), { mode: 0o600 });
      // The provider sets the ID on a node, since the machine itself cannot.
      const template =
        '{range .items[*]}{.metadata.name} {.spec.providerID} {.status.nodeInfo.kubeletVersion}{"\\n"}{end}';
      const nodes = await until('two nodes with a provider ID', 8 * minute, async () => {
        const listed = await nested('get', 'nodes', '-o', `jsonpath=${template}`).catch(() => '');
        return (listed.match(/ kubevirt:/g) ?? []).length === 2 ? listed.trim().split('\n') : undefined;
      });
      const machines = await names('machines.cluster.x-k8s.io', ofCluster);
      const expected = machines.map((machine) => machine.replace(/^.*\//, ''));
      expect(nodes.sort()).toEqual(
        expected.map((machine) => `${machine} kubevirt://${machine} ${versions.kubernetes}`).sort(),
      );
      const running = ['--for=jsonpath={.status.phase}=Running', '--timeout=120s'];
      await kubectl('wait', '-n', namespace, 'machines', '--all', ...running);
    });

    it('shows the console of a machine in the log of its pod', async () => {
      const [pod = ''] = await names('pods', `${ofCluster},cluster.x-k8s.io/role=control-plane`);
      const log = await kubectl('logs', '-n', namespace, pod, '-c', 'guest-console-log');
      expect(log).toContain('Your Kubernetes control-plane has initialized successfully!');
    });

    it('reports machines that end, by a shutdown or by a crash', async () => {
      for (const [role, signal, phase] of [
        ['worker', 'TERM', 'Succeeded'],
        ['control-plane', 'KILL', 'Failed'],
      ] as const) {
        const machine = `${ofCluster},cluster.x-k8s.io/role=${role}`;
        const [pod = ''] = await names('pods', machine);
        const kill = ['pkill', `-${signal}`, '-f', '/knest/boot'];
        // A machine that ends takes all of its processes along, and this may be one.
        await kubectl('exec', '-n', namespace, pod, '-c', 'compute', '--', ...kill).catch(() => undefined);
        const ended = [`--for=jsonpath={.status.phase}=${phase}`, '--timeout=120s'];
        await kubectl('wait', '-n', namespace, 'virtualmachineinstance', '-l', machine, ...ended);
        await kubectl('wait', '-n', namespace, pod, ...ended);
      }
    });

    it('deletes the cluster with everything that belongs to it', async () => {
      const kinds = 'virtualmachines.kubevirt.io,virtualmachineinstances.kubevirt.io,pods,services,secrets';
      const found = await names(kinds, ofCluster);
      const kindsFound = new Set(found.map((line) => line.replace(/[./].*/, '')));
      expect([...kindsFound].sort()).toEqual(['pod', 'secret', 'service', 'virtualmachine', 'virtualmachineinstance']);
      await kubectl('delete', 'cluster', '-n', namespace, name, '--timeout=110s');
      await until(
        'the end of all that is the cluster’s',
        2 * minute,
        async () => (await names(kinds, ofCluster)).length === 0,
      );
    });
  });
}
