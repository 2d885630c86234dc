import { expect, it } from 'vitest';
import { describeSocketBalancer } from '../../../src/host/cilium.ts';
import { clientOf, json, refuse } from './server.ts';

/** What is said of a host whose ConfigMap of Cilium has these values, or whose answer to the question is a status code. */
async function said(config: Readonly<Record<string, string>> | number): Promise<string | undefined> {
  const { client } = await clientOf((response, _number, { path }) => {
    if (typeof config === 'number' || !path.endsWith('/namespaces/kube-system/configmaps/cilium-config'))
      refuse(response, typeof config === 'number' ? config : 404);
    else json(response, { metadata: { name: 'cilium-config' }, data: config });
  });
  return describeSocketBalancer(client);
}

it('names the setting of a Cilium that keeps virtual machines from Services', async () => {
  for (const config of [
    { 'kube-proxy-replacement': 'true' },
    { 'kube-proxy-replacement': 'strict', 'bpf-lb-sock-hostns-only': 'false' },
    { 'kube-proxy-replacement': 'false', 'bpf-lb-sock': 'true' },
  ])
    expect(await said(config), JSON.stringify(config)).toMatch(/socketLB\.hostNamespaceOnly=true$/);
});

it.each([
  { 'kube-proxy-replacement': 'true', 'bpf-lb-sock-hostns-only': 'true' },
  { 'kube-proxy-replacement': 'false', 'bpf-lb-sock': 'false' },
  {},
  403,
  404,
])('says nothing of any other host, as with %j', async (config) => {
  expect(await said(config)).toBeUndefined();
});
