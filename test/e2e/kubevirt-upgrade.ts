import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Node } from '../../src/host/api/objects.ts';
import type { Host } from '../host/host.ts';
import { kubevirtNodeImage } from '../host/kubevirt.ts';
import { versions } from '../host/modules.ts';
import type { StepResult } from '../support/runner.ts';
import { makeBoundVolume } from './bound-volume.ts';
import { steady, steadyPort } from './hello.ts';
import type { StartJob } from './jobs.ts';
import { Probe, probeApi } from './probe.ts';
import { ROLE_NAMESPACE, roleKubeconfig } from './role-account.ts';
import { replicasOf } from './support.ts';

/** A cluster `kv` of the older Kubernetes, of one control plane and two workers with a CNI. */
interface UpgradedCluster {
  readonly host: Host;
  readonly start: StartJob;
  /** The path of its kubeconfig. */
  readonly kubeconfig: string;
}

/** Tests its upgrade to the Kubernetes of the host. `parts`: gives the cluster once it is there. */
export function testUpgrade(parts: () => UpgradedCluster): void {
  describe('an upgrade', () => {
    const namespace = 'knest';
    const older = versions.olderKubernetes;
    const nested = (...args: string[]): Promise<string> =>
      parts().host.run(['kubectl', '--kubeconfig', parts().kubeconfig, ...args]);
    const kubectl = (...args: string[]): Promise<string> => parts().host.kubectl(args);
    const fileOf = (name: string): string => join(parts().kubeconfig, '..', name);
    const to = { 'kubernetes-version': versions.kubernetes, 'node-image': kubevirtNodeImage };
    const upgrade = async (inputs: Readonly<Record<string, string>> = {}): Promise<StepResult> =>
      parts()
        .start({ command: 'upgrade', name: 'kv', namespace, ...to, ...inputs })
        .main();
    const templates = async (): Promise<string[]> => {
      const names = await kubectl('get', 'kubevirtmachinetemplates', '-n', namespace, '-o', 'name');
      return names.trim().split('\n').sort();
    };

    it('is refused to an older version, and by more than one minor version', async () => {
      const [, minor = ''] = older.split('.');
      for (const [version, reason] of [
        [`1.${Number(minor) - 1}.0`, /KubeadmControlPlane kv-cp has v\S+, which is newer than v\S+ {3}KNEST_UPGRADE/],
        [`1.${Number(minor) + 2}.0`, /from v\S+ to v\S+ is more than one minor version {3}KNEST_UPGRADE/],
      ] as const) {
        const refused = await upgrade({ 'kubernetes-version': version });
        expect(refused.exitCode).toBe(1);
        expect(refused.log).toMatch(reason);
      }
    });

    it('is refused while the host has no room for one more machine', async () => {
      await kubectl('cordon', 'host');
      const refused = await upgrade().finally(() => kubectl('uncordon', 'host'));
      expect(refused.log).toMatch(
        /no node of the host has room for one more control-plane machine {3}KNEST_UNSCHEDULABLE/,
      );
      expect(refused.log).toContain('Node host is cordoned');
    });

    it('is refused for data on the disk of a machine', async () => {
      await makeBoundVolume(parts().host, parts().kubeconfig);
      const refused = await upgrade();
      expect(refused.log).toContain('volumes on the disks of its machines would be lost   KNEST_UPGRADE');
      expect(refused.log).toContain('PersistentVolume data of PersistentVolumeClaim default/data');
      await nested('delete', 'persistentvolumeclaim/data', 'persistentvolume/data');
      expect(await templates()).toHaveLength(2);
    });

    it('continues after its job ended halfway, while a workload keeps answering, with the Role of docs/rbac alone', async () => {
      const file = fileOf('steady.yaml');
      writeFileSync(file, steady);
      await nested('apply', '-f', file);
      await nested('rollout', 'status', 'deployment/steady', '--timeout=120s');
      // Any worker of the moment serves it: they are replaced too.
      const workers = ['get', 'pods', '-n', namespace, '-l', 'cluster.x-k8s.io/role=worker'];
      const addresses = async (): Promise<string[]> =>
        (await kubectl(...workers, '-o', 'jsonpath={.items[*].status.podIP}')).split(' ');
      const ask = (address: string): Promise<string> =>
        parts().host.run([
          'curl',
          '--silent',
          '--show-error',
          '--fail',
          '--max-time',
          '2',
          `http://${address}:${steadyPort}/`,
        ]);
      const workload = new Probe(async () => Promise.any((await addresses()).map(ask)));
      const api = probeApi(parts().host, parts().kubeconfig);

      const halfway = await upgrade({ timeout: '25s' });
      expect(halfway.log).toMatch(/kv is not ready after 25s {3}KNEST_TIMEOUT/);
      expect(halfway.log).toContain(`the upgrade to ${versions.kubernetes} is unfinished: the same inputs continue it`);
      const scaled = await parts().start({ command: 'scale', name: 'kv', namespace, replicas: ':3' }).main();
      expect(scaled.log).toContain(`kv cannot be scaled: it is being upgraded to ${versions.kubernetes}   KNEST_SCALE`);
      const other = await upgrade({ 'node-image': 'example.com/other:1' });
      expect(other.log).toContain(`it is being upgraded to ${versions.kubernetes}, with other images   KNEST_UPGRADE`);

      const kubeconfig = fileOf('upgrade.kubeconfig');
      writeFileSync(kubeconfig, await roleKubeconfig(parts().host), { mode: 0o600 });
      const upgraded = await upgrade({ 'host-kubeconfig-file': kubeconfig, namespace: ROLE_NAMESPACE });
      await Promise.all([workload.end(), api.end()]);
      console.log(upgraded.log);
      console.log(
        `longest gaps: workload ${workload.longestGap.toFixed(1)} s (${workload.answers} answers), API ${api.longestGap.toFixed(1)} s (${api.answers} answers)`,
      );
      expect(upgraded.exitCode, upgraded.log).toBe(0);
      expect(upgraded.log).toMatch(/to v\S+, continuing; API by cluster-ip/);
      expect(upgraded.log).toContain(`old machines pull registry.k8s.io/kube-proxy:${versions.kubernetes} as well`);
      expect(upgraded.log).toMatch(/at most \d+\.\d s between answers on new connections, \d+\.\d s on a kept one/);
      expect(upgraded.log).toContain('▸ Deleted the replaced machine templates kv-cp, kv-md-0');
      expect(workload.answers).toBeGreaterThan(10); // Enough to show a gap: each takes seconds on a busy machine.
      expect(workload.longestGap).toBeLessThan(60);
      expect(api.longestGap).toBeLessThan(120);
    });

    it('leaves nodes of the new version, and nothing of the old one', async () => {
      const { items } = JSON.parse(await nested('get', 'nodes', '-o', 'json')) as { items: Node[] };
      expect(items.map(({ status }) => status?.nodeInfo?.kubeletVersion)).toEqual(Array(3).fill(versions.kubernetes));
      expect(await replicasOf(parts().host, namespace, 'kv')).toBe('1:2');
      expect(await templates()).toEqual([
        expect.stringMatching(`/kv-cp-${versions.kubernetes}-[0-9a-f]{8}$`),
        expect.stringMatching(`/kv-md-0-${versions.kubernetes}-[0-9a-f]{8}$`),
      ]);
      const marks = await kubectl('get', 'cluster', '-n', namespace, 'kv', '-o', 'jsonpath={.metadata.annotations}');
      expect(marks).not.toContain('knest-action/upgrade');
      const again = await upgrade();
      expect(again.exitCode, again.log).toBe(0);
      expect(again.log).toContain(`✔ kv has Kubernetes ${versions.kubernetes} already`);
    });
  });
}
