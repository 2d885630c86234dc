import { describe, expect, it } from 'vitest';
import { applyAll } from '../../../../src/host/api/apply.ts';
import type { KubernetesObject } from '../../../../src/host/api/objects.ts';
import { clientOf, json, refuse } from '../server.ts';

const signal = new AbortController().signal;
const configMap = (name: string) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'knest' } });
const object = (apiVersion: string, kind: string, name: string): KubernetesObject => ({
  apiVersion,
  kind,
  metadata: { name },
});

describe('applyAll', () => {
  it('rejects with the first error once all pending requests have ended, and sends no others', async () => {
    let answered = 0;
    const { client, received } = await clientOf((response, _number, { path }) => {
      const isBad = path.includes('/bad?');
      setTimeout(
        () => {
          answered++;
          if (isBad) refuse(response, 400);
          else json(response, {}, 201);
        },
        isBad ? 0 : 200,
      );
    });
    const names = ['a', 'b', 'bad', ...Array.from({ length: 20 }, (_, index) => `later-${index}`)];
    await expect(applyAll(client, names.map(configMap), signal)).rejects.toMatchObject({ status: 400 });
    expect(answered).toBe(received.length);
    expect(received.length).toBeLessThan(names.length);
  });

  it('applies a certificate before it waits for kinds that need it, and then objects of these kinds', async () => {
    let isServed = false;
    const { client, received } = await clientOf((response, _number, { method, path }) => {
      if (method === 'PATCH' && path.includes('certificates')) isServed = true; // as cert-manager's injector does
      if (path.includes('customresourcedefinitions?')) {
        const conditions = [{ type: 'Established', status: isServed ? 'True' : 'False' }];
        json(response, { metadata: {}, items: [{ metadata: { name: 'pools.example.com' }, status: { conditions } }] });
      } else if (path === '/apis/example.com/v1') {
        json(response, { resources: [{ name: 'pools', kind: 'Pool', namespaced: false }] });
      } else if (path === '/apis/cert-manager.io/v1') {
        json(response, { resources: [{ name: 'certificates', kind: 'Certificate', namespaced: false }] });
      } else json(response, {});
    });
    const manifest = [
      object('example.com/v1', 'Pool', 'p'),
      object('cert-manager.io/v1', 'Certificate', 'c'),
      object('apiextensions.k8s.io/v1', 'CustomResourceDefinition', 'pools.example.com'),
      object('v1', 'Namespace', 'n'),
    ];
    await applyAll(client, manifest, AbortSignal.timeout(10_000));
    const applied = received
      .filter(({ method }) => method === 'PATCH')
      .map(({ path }) => path.replace(/^.*\/(\w+\/[^?]+)\?.*$/, '$1'));
    expect(applied).toEqual([
      'namespaces/n',
      'customresourcedefinitions/pools.example.com',
      'certificates/c',
      'pools/p',
    ]);
  });
});
