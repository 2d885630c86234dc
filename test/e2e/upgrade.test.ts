import { describe, expect, it } from 'vitest';
import { expectGone } from './expect.ts';
import { jobStarter } from './jobs.ts';
import { sharedHost } from './support.ts';

const host = sharedHost();
const namespace = 'upgraded';

/** The real Cluster API, with machines in memory: what these boot has no image. */
describe('upgrade', () => {
  const job = jobStarter(host, { namespace });
  const versionsOf = async (name: string): Promise<string[]> => {
    const machines = ['get', 'machines', '-n', namespace, '-l', `cluster.x-k8s.io/cluster-name=${name}`];
    return (await host.kubectl([...machines, '-o', 'jsonpath={.items[*].spec.version}'])).split(' ');
  };

  it('replaces control planes and workers by those of the version, and goes forward only', async () => {
    const from = { infrastructure: 'in-memory', 'kubernetes-version': '1.34.1' };
    const machines = { 'control-plane-machine-count': '3', 'worker-machine-count': '2', 'wait-for': 'nodes' };
    const creator = job({ name: 'three', ...from, ...machines });
    const created = await creator.main();
    expect(created.exitCode, created.log).toBe(0);
    const target = { command: 'upgrade', name: 'three', 'kubernetes-version': '1.35.2' };

    // A hook of Cluster API holds the first old machine, so that the first upgrade ends halfway.
    const hook = 'pre-drain.delete.hook.machine.cluster.x-k8s.io/test';
    const annotate = ['annotate', 'machines', '-n', namespace, '-l', 'cluster.x-k8s.io/cluster-name=three'];
    await host.kubectl([...annotate, `${hook}=held`]);
    const halfway = await job({ ...target, timeout: '20s' }).main();
    expect(halfway.log).toMatch(/three is not ready after 20s {3}KNEST_TIMEOUT/);
    const refused = await job({ command: 'scale', name: 'three', replicas: ':3' }).main();
    expect(refused.log).toContain('three cannot be scaled: it is being upgraded to v1.35.2   KNEST_SCALE');
    const other = await job({ ...target, 'kubernetes-version': '1.35.1' }).main();
    expect(other.log).toContain('three cannot be upgraded: it is being upgraded to v1.35.2   KNEST_UPGRADE');

    await host.kubectl([...annotate, `${hook}-`]);
    const upgraded = await job(target).main();
    expect(upgraded.exitCode, upgraded.log).toBe(0);
    expect(upgraded.log).toContain('to v1.35.2, continuing; API by ');
    expect(upgraded.log).toContain('✔ three is upgraded to v1.35.2');
    expect(upgraded.outputs['kubernetes-version']).toBe('v1.35.2');
    expect(await versionsOf('three')).toEqual(Array(5).fill('v1.35.2'));

    const again = await job(target).main();
    expect(again.log).toContain('✔ three has Kubernetes v1.35.2 already');
    const back = await job({ ...target, 'kubernetes-version': '1.34.1' }).main();
    expect(back.log).toMatch(/has v1\.35\.2, which is newer than v1\.34\.1 {3}KNEST_UPGRADE/);
    const skipped = await job({ ...target, 'kubernetes-version': '1.37.0' }).main();
    expect(skipped.log).toContain('from v1.35.2 to v1.37.0 is more than one minor version   KNEST_UPGRADE');
    await creator.post();
    await expectGone(host, namespace, 'three');
  });
});
