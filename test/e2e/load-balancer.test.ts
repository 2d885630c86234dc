import { describe, expect, it } from 'vitest';
import { until } from '../host/process.ts';
import { expectGone } from './expect.ts';
import { jobOn, sharedHost } from './support.ts';

const namespace = 'balanced';
const address = '172.30.0.77';
const host = sharedHost();

describe.skipIf(!host.hasVirtink)('api-access: load-balancer (needs the release assets of Virtink)', () => {
  it('uses the address of the load balancer as the endpoint and in the kubeconfig', async () => {
    const job = jobOn(host, {
      name: 'balanced',
      namespace,
      'worker-machine-count': '0',
      'api-access': 'load-balancer',
    });
    const running = job.main();
    // Stands in for the controller of a load balancer. kube-proxy serves the address like any other of the Service.
    const status = JSON.stringify({ status: { loadBalancer: { ingress: [{ ip: address }] } } });
    const patch = [
      'patch',
      'service',
      'balanced',
      '-n',
      namespace,
      '--subresource=status',
      '--type=merge',
      '-p',
      status,
    ];
    await until('the Service', 180_000, () => host.kubectl(patch).then(Boolean, () => false));
    const main = await running;
    expect(main.exitCode, main.log).toBe(0);
    expect(main.outputs['server']).toBe(`https://${address}:6443`);
    const kubeconfig = main.outputs['kubeconfig-path'] ?? '';
    expect(await host.run(['kubectl', '--kubeconfig', kubeconfig, 'get', 'nodes', '-o', 'name'])).toMatch(
      /^node\/balanced-cp-/,
    );
    const post = await job.post();
    job.clean();
    expect(post.exitCode, post.log).toBe(0);
    await expectGone(host, namespace, 'balanced');
  });
});
