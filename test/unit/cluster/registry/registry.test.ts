import { describe, expect, it } from 'vitest';
import { REGISTRY_IMAGE } from '../../../../src/catalog/registry-image.ts';
import { registryAddress } from '../../../../src/cluster/registry/address.ts';
import { registryHosting } from '../../../../src/cluster/registry/hosting.ts';
import { localPortOf, noteLocalPort } from '../../../../src/cluster/registry/local-port.ts';
import { readerConfig, registryConfig } from '../../../../src/cluster/registry/registry-config.ts';
import { registryDeployment, registryPolicy, registryService } from '../../../../src/cluster/registry/registry.ts';
import type { Cluster } from '../../../../src/host/api/cluster-api-objects.ts';
import { rejection } from '../../rejection.ts';
import { clientOf, json, refuse } from '../../host/server.ts';

const { signal } = new AbortController();
const selected = { 'knest-action/registry': 'true', 'knest-action/cluster-uid': 'u-1' };

function clusterWith(annotations: Readonly<Record<string, string>> = {}): Cluster {
  return {
    apiVersion: 'cluster.x-k8s.io/v1beta2',
    kind: 'Cluster',
    metadata: { name: 'pr', namespace: 'knest', uid: 'u-1', resourceVersion: '7', annotations },
    spec: { clusterNetwork: { pods: { cidrBlocks: ['10.95.0.0/16'] }, services: { cidrBlocks: ['10.96.0.0/12'] } } },
  };
}

describe('the registry of a cluster', () => {
  it('is pinned by its digest', () => {
    expect(REGISTRY_IMAGE).toMatch(/^docker\.io\/library\/registry:3\.[\d.]+@sha256:[0-9a-f]{64}$/);
  });

  it('meets the restricted Pod Security Standard, has no token, and has one pod with limited storage', () => {
    const request = { port: 5000, image: 'registry:3', size: '2Gi' };
    const secured = {
      securityContext: {
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      },
    };
    const storage = { 'ephemeral-storage': '2Gi' };
    expect(registryDeployment(clusterWith(), request, 'haproxy:1').spec).toMatchObject({
      replicas: 1,
      strategy: { type: 'Recreate' },
      selector: { matchLabels: selected },
      template: {
        metadata: { labels: selected },
        spec: {
          automountServiceAccountToken: false,
          securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
          containers: [
            { ...secured, image: 'registry:3', resources: { requests: storage, limits: storage } },
            { ...secured, image: 'haproxy:1' },
          ],
          volumes: [{ name: 'config' }, { name: 'images', emptyDir: { sizeLimit: '2Gi' } }],
        },
      },
    });
  });

  it('takes images on the 127.0.0.1 of its pod alone: nodes get what haproxy lets through, GET and HEAD', () => {
    expect(registryConfig('u-1')).toMatch(/^ {2}addr: 127\.0\.0\.1:5001\n {2}secret: u-1\n {2}relativeurls: true$/m);
    const config = readerConfig();
    expect(config.match(/bind .*/g)).toEqual(['bind "${POD_IP}:5000"']);
    expect(config).toContain('http-request deny deny_status 405 unless METH_GET');
    expect(config).toContain('server registry 127.0.0.1:5001');
    expect(config).toContain('fd-hard-limit 4096');
  });

  it('is open to the machines of its cluster alone, where the host enforces that', () => {
    expect(registryService(clusterWith())).toMatchObject({ spec: { type: 'ClusterIP', selector: selected } });
    expect(registryPolicy(clusterWith())).toMatchObject({
      spec: {
        podSelector: { matchLabels: selected },
        policyTypes: ['Ingress', 'Egress'],
        ingress: [
          {
            from: [{ podSelector: { matchLabels: { 'cluster.x-k8s.io/cluster-name': 'pr' } } }],
            ports: [{ port: 5000 }],
          },
        ],
      },
    });
  });

  it('is found by tools that read local-registry-hosting', () => {
    expect(registryHosting(5123)).toMatchObject({
      metadata: { name: 'local-registry-hosting', namespace: 'kube-public' },
      data: { 'localRegistryHosting.v1': expect.stringMatching(/^host: "localhost:5123"\n/) as string },
    });
  });

  it.each([
    ['172.30.0.9', undefined],
    ['10.95.3.4', 'pod-network-cidr: 10.95.0.0/16 has the address of the registry on the host, 10.95.3.4'],
    ['10.99.3.4', 'service-cidr: 10.96.0.0/12 has the address of the registry on the host, 10.99.3.4'],
    ['None', 'Service knest/pr-registry has no address'],
  ])('has an address that is none of the nested cluster: %s', async (clusterIP, problem) => {
    const { client } = await clientOf((response) => json(response, { spec: { clusterIP } }));
    const address = registryAddress(client, clusterWith());
    if (problem === undefined) expect(await address).toBe(clusterIP);
    else expect(await rejection(address)).toMatchObject({ problem });
  });
});

describe('the port of a registry', () => {
  it('is that of the annotation', () => {
    expect(localPortOf(clusterWith({ 'knest-action/registry-port': '5000' }))).toBe(5000);
    for (const text of ['', '0', 'x', '5e3']) {
      expect(localPortOf(clusterWith({ 'knest-action/registry-port': text }))).toBeUndefined();
    }
  });

  it('is noted on the Cluster once, tied to the state that was read', async () => {
    let conflicts = 1;
    const { client, received } = await clientOf((response, _number, { method }) => {
      if (method === 'PATCH' && conflicts-- > 0) refuse(response, 409);
      else json(response, clusterWith());
    });
    await noteLocalPort(client, clusterWith(), 5000, signal);
    const patches = received.filter(({ method }) => method === 'PATCH').map(({ body }) => JSON.parse(body) as unknown);
    const annotations = { 'knest-action/registry-port': '5000' };
    expect(patches).toEqual(Array(2).fill({ metadata: { uid: 'u-1', resourceVersion: '7', annotations } }));
  });

  it('of another job that makes the same cluster is not changed', async () => {
    const { client, received } = await clientOf((response) =>
      json(response, clusterWith({ 'knest-action/registry-port': '5001' })),
    );
    expect(await rejection(noteLocalPort(client, clusterWith(), 5000, signal))).toMatchObject({ code: 'KNEST_INPUT' });
    await noteLocalPort(client, clusterWith(), 5001, signal);
    expect(received.every(({ method }) => method === 'GET')).toBe(true);
  });
});
