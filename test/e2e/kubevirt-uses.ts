import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Host } from '../host/host.ts';
import { registryImage, relayImage } from '../host/images.ts';
import { kubevirtNodeImage } from '../host/kubevirt.ts';
import { versions } from '../host/modules.ts';
import type { Job } from '../support/runner.ts';
import { DockerDaemon, imageFiles } from './docker.ts';
import { jobOn, leftovers } from './support.ts';
import { Act, namespace as ofWorkflows, pullRequest } from './workflows/act.ts';

const minute = 60_000;
const namespace = 'upstream';
const release = `https://github.com/kubernetes-sigs/cluster-api-provider-kubevirt/releases/download/${versions.kubevirtProvider}`;

/** Tests KubeVirt with objects and workflows of others. `hostWithKubevirt`: gives a host that has it. */
export function testKubevirtUses(hostWithKubevirt: () => Host): void {
  describe('the template of the KubeVirt provider', { timeout: 10 * minute }, () => {
    let job: Job | undefined;
    afterAll(() => job?.clean());

    // Its provider is to enter the VMs by SSH, and the machines of the tests have no server for it: they are never ready for
    // it, but the control plane answers all the same.
    it('creates a cluster as its release has it, which is deleted with nothing left', async () => {
      const host = hostWithKubevirt();
      job = jobOn(host, {
        name: 'theirs',
        namespace,
        infrastructure: 'kubevirt',
        'cluster-template': `${release}/cluster-template.yaml`,
        'node-image': kubevirtNodeImage,
        'worker-machine-count': '0',
        'template-variables': 'CRI_PATH=unix:///run/containerd/containerd.sock',
      });
      const main = await job.main();
      expect(main.exitCode, main.log).toBe(0);
      expect(main.log).toMatch(/KubevirtMachineTemplate theirs-control-plane has its provider enter each VM by SSH/);
      const kubeconfig = main.outputs['kubeconfig-path'] ?? '';
      const nodes = await host.run(['kubectl', '--kubeconfig', kubeconfig, 'get', 'nodes', '-o', 'name']);
      expect(nodes).toMatch(/^node\/theirs-control-plane-\w+\n$/);
      const post = await job.post();
      expect(post.exitCode, post.log).toBe(0);
      expect(post.log).toContain('nothing of theirs is left');
      expect(await leftovers(host, namespace, 'theirs')).toEqual([]);
    });
  });

  describe('workflows/pull-request.yml on a host with KubeVirt', { timeout: 10 * minute }, () => {
    let docker: DockerDaemon | undefined;
    let act: Act;
    beforeAll(async () => {
      const host = hostWithKubevirt();
      docker = await DockerDaemon.start(host);
      const images = { 'node-image': kubevirtNodeImage, 'relay-image': relayImage, 'registry-image': registryImage };
      act = await Act.prepare(host, { defaults: { ...images, 'registry-size': '1Gi' }, docker });
    });
    afterAll(async () => {
      await docker?.stop();
      act.clean();
    });

    it('runs the image of the job on a cluster of KubeVirt without naming it, which is deleted after the job', async () => {
      const trigger = { event: 'pull_request', payload: pullRequest(7) };
      const { code, log } = await act.run(['pull-request.yml'], trigger, await imageFiles());
      expect(code, log).toBe(0);
      expect(log).toMatch(/▸ Infrastructure +kubevirt: /);
      expect(log).toMatch(/\| deployment "app" successfully rolled out\n/);
      expect(log).toMatch(/nothing of knest-1-1-test-[0-9a-f]{8} is left/);
      expect(await leftovers(hostWithKubevirt(), ofWorkflows, 'knest-1-1-test')).toEqual([]);
    });
  });
}
