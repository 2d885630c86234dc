import { describe, expect, it } from 'vitest';
import { routes } from '../../../src/cluster/access.ts';
import type { Kubeconfig } from '../../../src/cluster/nested-kubeconfig.ts';
import type { Service } from '../../../src/host/objects.ts';

const kubeconfig: Kubeconfig = {
  server: 'https://10.1.2.3:6443',
  tlsServerName: undefined,
  certificateAuthority: undefined,
  clientCertificate: undefined,
  clientKey: undefined,
  token: 'abc',
  proxyUrl: undefined,
};

function service(parts: Pick<Service, 'spec' | 'status'>): Service {
  return { apiVersion: 'v1', kind: 'Service', metadata: { name: 'pr', namespace: 'knest' }, ...parts };
}

const direct = { kind: 'cluster-ip', server: 'https://10.1.2.3:6443' };
const ports = [{ port: 6443, nodePort: 30_001 }];

describe('routes', () => {
  it('keep the name in the certificate that the kubeconfig has', () => {
    const named = { ...kubeconfig, tlsServerName: 'api.example.com' };
    const all = routes(named, service({ spec: { ports } }), ['node-1']);
    expect(all.map(({ kind, tlsServerName }) => [kind, tlsServerName])).toEqual([
      ['cluster-ip', 'api.example.com'],
      ['node-port', 'api.example.com'],
    ]);
  });

  it('are the most direct first, each of the others with the name in the certificate', () => {
    const balanced = service({
      spec: { type: 'LoadBalancer', ports },
      status: { loadBalancer: { ingress: [{ ip: '192.0.2.7' }] } },
    });
    expect(routes(kubeconfig, balanced, ['node-1', '203.0.113.9'])).toEqual([
      direct,
      { kind: 'load-balancer', server: 'https://192.0.2.7:6443', tlsServerName: '10.1.2.3' },
      { kind: 'node-port', server: 'https://node-1:30001', tlsServerName: '10.1.2.3' },
      { kind: 'node-port', server: 'https://203.0.113.9:30001', tlsServerName: '10.1.2.3' },
    ]);
  });

  it.each([
    [{ ip: '192.0.2.7', hostname: 'lb.example.com' }, 'https://192.0.2.7:443'],
    [{ hostname: 'lb.example.com' }, 'https://lb.example.com:443'],
  ])('through a load balancer take its address, else its name: %o', (ingress, server) => {
    const balanced = service({ spec: { ports: [{ port: 443 }] }, status: { loadBalancer: { ingress: [ingress] } } });
    expect(routes(kubeconfig, balanced, ['node-1'])).toEqual([
      direct,
      { kind: 'load-balancer', server, tlsServerName: '10.1.2.3' },
    ]);
  });

  it('through a load balancer have the usual port when the Service names none', () => {
    const bare = service({ status: { loadBalancer: { ingress: [{ ip: '192.0.2.7' }] } } });
    expect(routes(kubeconfig, bare, ['node-1'])[1]?.server).toBe('https://192.0.2.7:6443');
  });

  it('are the direct one alone while the load balancer has no address, and without nodes', () => {
    const pending = { spec: { type: 'LoadBalancer', ports: [{ port: 6443 }] } };
    for (const status of [{}, { loadBalancer: {} }, { loadBalancer: { ingress: [] } }]) {
      expect(routes(kubeconfig, service({ ...pending, status }), ['node-1'])).toEqual([direct]);
    }
    expect(routes(kubeconfig, service({ spec: { ports } }), [])).toEqual([direct]);
    expect(routes(kubeconfig, undefined, ['node-1'])).toEqual([direct]);
  });
});
