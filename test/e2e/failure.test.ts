import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { Job } from '../support/runner.ts';
import { expectGone } from './expect.ts';
import { jobOn, leftovers, sharedHost } from './support.ts';

const namespace = 'knest';
const host = sharedHost();

/** A create that cannot succeed says why as soon as that is certain, and leaves nothing behind. */
describe.skipIf(!host.hasVirtink)('a create on Virtink that fails (needs the release assets of Virtink)', () => {
  let job: Job | undefined;
  afterEach(() => job?.clean());

  it('names an image that does not exist', async () => {
    job = jobOn(host, { name: 'no-image', 'control-plane-machine-rootfs-image': 'smartxworks/capch-rootfs-9.9.9' });
    const main = await job.main();
    expect(main.exitCode).toBe(1);
    expect(main.log).toContain(
      '✖ no-image cannot start: the image smartxworks/capch-rootfs-9.9.9 cannot be pulled (not found)   KNEST_IMAGE_PULL',
    );
    expect(main.log).toMatch(/Chain: Cluster no-image → KubeadmControlPlane no-image-cp .* → Pod vm-no-image-cp-/);
    expect(main.log).toContain('Next: set control-plane-machine-rootfs-image to an image that exists');
    expect(main.log).toMatch(/Cleaned up: all gone after \d+\.\d s\./);
    expect(main.summary).toContain('KNEST_IMAGE_PULL');
    expect(await leftovers(host, namespace, 'no-image')).toEqual([]);
    const post = await job.post();
    expect(post.exitCode).toBe(0);
    expect(post.log).toContain('knest/no-image is gone already');
  });

  it('names a VM that fits on no node', async () => {
    await host.kubectl(['cordon', 'host']);
    try {
      job = jobOn(host, { name: 'no-room' });
      const main = await job.main();
      expect(main.exitCode).toBe(1);
      expect(main.log).toMatch(
        /✖ no-room cannot start: the VM of machine no-room-cp-\w+ does not fit on any node of the host {3}KNEST_UNSCHEDULABLE/,
      );
      expect(main.log).toContain('Unschedulable: 0/1 nodes are available');
    } finally {
      await host.kubectl(['uncordon', 'host']);
    }
    await expectGone(host, namespace, 'no-room');
  });

  it('reports a failed bootstrap from the console of the machine', async () => {
    // The image has another version of kubeadm than the one that Cluster API configures.
    const image = 'smartxworks/capch-rootfs-1.36.3';
    const inputs = { 'kubernetes-version': '1.35.0', 'control-plane-machine-rootfs-image': image };
    job = jobOn(host, { name: 'no-boot', ...inputs });
    const main = await job.main();
    expect(main.exitCode).toBe(1);
    expect(main.log).toMatch(
      /✖ no-boot cannot start: machine no-boot-cp-\w+ could not become a node: error: featureGates: .* {3}KNEST_BOOTSTRAP/,
    );
    const directory = main.outputs['diagnostics-path'] ?? '';
    const [console = ''] = globSync('console-vm-no-boot-cp-*.log', { cwd: directory });
    expect(readFileSync(join(directory, console), 'utf8')).toMatch(/^error: featureGates: /m);
    const [controller = ''] = globSync('controller-capi-controller-*.log', { cwd: directory });
    expect(readFileSync(join(directory, controller), 'utf8')).toContain('no-boot');
    await expectGone(host, namespace, 'no-boot');
  });

  it('explains a timeout by the chain of unmet conditions', async () => {
    // Cluster API has nodes after 30 s at the earliest; a control plane may prove itself before.
    job = jobOn(host, { name: 'no-time', 'wait-for': 'nodes', timeout: '25s' });
    const main = await job.main();
    expect(main.exitCode).toBe(1);
    expect(main.log).toContain('✖ no-time is not ready after 25s   KNEST_TIMEOUT');
    expect(main.log).toMatch(/Chain: Cluster no-time → KubeadmControlPlane no-time-cp \(0 of 1 ready\)/);
    // The machines come first: what keeps them is the cause of what the Cluster says. Which condition it is depends on
    // how far the machine is.
    const [, failure = ''] = main.log.split('✖ no-time is not ready');
    const unmet = failure.split('\n').filter((line) => / is (False|Unknown) for \d+s \(\w+\)/.test(line));
    expect(unmet[0]).toMatch(/^ {2}Machine no-time-(cp|md-0)-\S+: /);
    const ofMachines = unmet.findLastIndex((line) => line.startsWith('  Machine '));
    expect(unmet.slice(0, ofMachines).filter((line) => line.startsWith('  Cluster '))).toEqual([]);
    await expectGone(host, namespace, 'no-time');
  });
});
