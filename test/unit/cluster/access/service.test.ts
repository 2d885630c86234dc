import { describe, expect, it } from 'vitest';
import { findService } from '../../../../src/cluster/access/service.ts';
import { hostWith } from '../../host/fake-host.ts';

const handle = { name: 'pr', namespace: 'knest' };
const services = '/api/v1/namespaces/knest/services';
const cluster = (infrastructure: string, host: string): Readonly<Record<string, unknown>> => ({
  '/apis/cluster.x-k8s.io/v1beta2/namespaces/knest/clusters/pr': {
    metadata: { name: 'pr' },
    spec: { infrastructureRef: { kind: 'X', name: infrastructure }, controlPlaneEndpoint: { host, port: 6443 } },
  },
});
const service = (name: string, clusterIP: string, ip?: string) => ({
  metadata: { name },
  spec: { clusterIP },
  status: { loadBalancer: { ingress: ip === undefined ? [] : [{ ip }] } },
});
const found = async (answers: Readonly<Record<string, unknown>>): Promise<string | undefined> => {
  const { client } = await hostWith(answers);
  return (await findService(client, handle))?.metadata.name;
};

describe('findService', () => {
  it('finds the Service with the name of the infrastructure, whatever the name of the cluster is', async () => {
    const named = { [`${services}/pr-infra`]: service('pr-infra', '10.0.0.1') };
    expect(await found({ ...cluster('pr-infra', ''), ...named })).toBe('pr-infra');
  });

  it('finds the Service whose own or load balancer address is the endpoint', async () => {
    const items = [service('other', '10.0.0.1'), service('pr-lb', '10.0.0.2', '192.0.2.7')];
    expect(await found({ ...cluster('pr', '10.0.0.2'), [services]: { items } })).toBe('pr-lb');
    expect(await found({ ...cluster('pr', '192.0.2.7'), [services]: { items } })).toBe('pr-lb');
    expect(await found({ ...cluster('pr', '10.0.0.9'), [services]: { items } })).toBeUndefined();
  });

  it('finds none when there is none or it may not be listed', async () => {
    expect(await found(cluster('pr', ''))).toBeUndefined();
    expect(await found({ ...cluster('pr', '10.0.0.1'), [services]: false })).toBeUndefined();
  });
});
