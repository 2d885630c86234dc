import { expect, it } from 'vitest';
import { coreDnsImage, kubeProxyImage, kubeProxyProblems } from '../../../../src/cluster/upgrade/nested.ts';
import { hostWith } from '../../host/fake-host.ts';

const workload = (image: string): object => ({ spec: { template: { spec: { containers: [{ name: 'c', image }] } } } });

it.each([
  ['registry.k8s.io/kube-proxy:v1.34.1', 'registry.k8s.io/kube-proxy:v1.35.2'],
  ['registry.local:5000/kube-proxy', 'registry.local:5000/kube-proxy:v1.35.2'],
  [`registry.k8s.io/kube-proxy:v1.34.1@sha256:${'0'.repeat(64)}`, 'registry.k8s.io/kube-proxy:v1.35.2'],
])('names the image of kube-proxy that old machines pull: %s', async (image, expected) => {
  const path = '/apis/apps/v1/namespaces/kube-system/daemonsets/kube-proxy';
  const { client } = await hostWith({ [path]: workload(image) });
  expect(await kubeProxyImage(client, 'v1.35.2')).toBe(expected);
});

it('names the nodes that cannot pull kube-proxy, and the image of CoreDNS', async () => {
  const waiting = { reason: 'ImagePullBackOff', message: 'no route' };
  const pod = (name: string, state: object): object => ({
    metadata: { name, namespace: 'kube-system' },
    spec: { nodeName: `node-of-${name}` },
    status: { containerStatuses: [{ name: 'kube-proxy', state }] },
  });
  const { client } = await hostWith({
    '/api/v1/namespaces/kube-system/pods': { items: [pod('good', { running: {} }), pod('bad', { waiting })] },
    '/apis/apps/v1/namespaces/kube-system/deployments/coredns': workload('coredns:v1.12.1'),
  });
  expect(await kubeProxyProblems(client)).toEqual([
    'on node node-of-bad: Pod kube-system/bad, container kube-proxy: ImagePullBackOff: no route',
  ]);
  expect(await coreDnsImage(client)).toBe('coredns:v1.12.1');
  const { client: bare } = await hostWith({});
  expect([await kubeProxyImage(bare, 'v1.35.2'), await coreDnsImage(bare)]).toEqual([undefined, undefined]);
});
