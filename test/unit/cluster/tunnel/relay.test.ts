import { describe, expect, it } from 'vitest';
import { RELAY_IMAGE } from '../../../../src/catalog/relay-image.ts';
import { relayManifest } from '../../../../src/cluster/tunnel/relay.ts';
import { relayConfig } from '../../../../src/cluster/tunnel/relay-config.ts';
import type { Cluster } from '../../../../src/host/api/cluster-api-objects.ts';

const cluster: Cluster = {
  apiVersion: 'cluster.x-k8s.io/v1beta2',
  kind: 'Cluster',
  metadata: {
    name: 'pr-17',
    namespace: 'knest',
    uid: 'u-1',
    labels: {
      'knest-action/managed': 'true',
      'knest-action/server': 'github.com',
      'knest-action/repository-id': '1',
      'knest-action/run-id': '7',
    },
    annotations: { 'knest-action/repository': 'octo-org/octo-repo' },
  },
  spec: { controlPlaneEndpoint: { host: '10.1.2.3', port: 6443 } },
};

describe('the relay', () => {
  it('is pinned by its digest', () => {
    expect(RELAY_IMAGE).toMatch(/^docker\.io\/library\/haproxy:[\w.-]+@sha256:[0-9a-f]{64}$/);
  });

  it('has the labels of its repository and its cluster, and its pods those of this very Cluster', () => {
    const relay = relayManifest(cluster, 'haproxy:1');
    expect(relay.metadata).toEqual({
      name: 'pr-17-relay',
      namespace: 'knest',
      labels: {
        'knest-action/managed': 'true',
        'knest-action/server': 'github.com',
        'knest-action/repository-id': '1',
        'cluster.x-k8s.io/cluster-name': 'pr-17',
        'knest-action/relay': 'true',
        'knest-action/cluster-uid': 'u-1',
      },
      annotations: { 'knest-action/repository': 'octo-org/octo-repo' },
    });
    expect(relay.spec).toMatchObject({
      selector: { matchLabels: { 'knest-action/relay': 'true', 'knest-action/cluster-uid': 'u-1' } },
      template: { metadata: { labels: relay.metadata.labels } },
    });
  });

  it('meets the restricted Pod Security Standard, has no token, and ends at once', () => {
    expect(relayManifest(cluster, 'haproxy:1').spec).toMatchObject({
      replicas: 1,
      template: {
        spec: {
          automountServiceAccountToken: false,
          terminationGracePeriodSeconds: 2,
          securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
          containers: [
            {
              image: 'haproxy:1',
              resources: { requests: { cpu: '10m', memory: '32Mi' }, limits: { memory: '128Mi' } },
              securityContext: {
                allowPrivilegeEscalation: false,
                readOnlyRootFilesystem: true,
                capabilities: { drop: ['ALL'] },
              },
            },
          ],
        },
      },
    });
  });

  it('listens on 127.0.0.1 alone, takes bounded memory, and ends no connection that is merely silent', () => {
    const config = relayConfig('10.1.2.3', 6443);
    // Without tcp-ut for a client: it may be slow to read.
    expect(config).toMatch(/^ {2}bind 127\.0\.0\.1:6443$/m);
    expect(config.match(/bind/g)).toHaveLength(1);
    expect(config).toContain('server api 10.1.2.3:6443 tcp-ut 2m');
    // The stall limit of port-forward.ts: a client that pauses may still have to read the last answer.
    expect(config).toContain('timeout client-fin 5m');
    expect(config).toContain('maxconn 1000');
    expect(config).toContain('fd-hard-limit 4096');
    expect(config).toContain('hard-stop-after 1s');
    for (const side of ['client', 'server', 'tunnel']) expect(config).toContain(`timeout ${side} 24h`);
    expect(relayConfig('fd00::1', 443)).toContain('server api [fd00::1]:443');
  });

  it('needs the endpoint of the control plane', () => {
    expect(() => relayManifest({ ...cluster, spec: {} }, 'haproxy:1')).toThrow('KNEST_API_ACCESS');
  });
});
