import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { Kinds } from '../../src/host/api/kinds.ts';
import type { KubernetesObject } from '../../src/host/api/objects.ts';
import { refusal, type Answer, type Received } from '../support/api-server.ts';
import { startClusterHost } from './cluster-host.ts';
import { cleanUp } from './support.ts';

afterAll(cleanUp);

/** Gives a job the manifest of a CNI, in its workspace. */
function writeManifest(workspace: string): void {
  mkdirSync(join(workspace, 'test'));
  writeFileSync(join(workspace, 'test/cni.yaml'), 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: cni\n');
}

/** Refuses to list Secrets and Services, as the Role of docs/rbac does for Secrets: each is got by its name. */
function refuseLists({ method, path }: Received): Answer | undefined {
  const isList = method === 'GET' && /\/(secrets|services)(\?|$)/.test(path);
  return isList ? refusal(403, 'Forbidden', 'not allowed to list') : undefined;
}

describe('a name that is already taken', () => {
  const metadata = (name: string) => ({ name, namespace: 'knest' });
  it.each<[string, KubernetesObject]>([
    ['Service', { apiVersion: 'v1', kind: 'Service', metadata: metadata('mine') }],
    ...['kubeconfig', 'ca', 'etcd', 'sa', 'proxy', 'ssh-keys', 'cni'].map((purpose): [string, KubernetesObject] => [
      `Secret for ${purpose}`,
      { apiVersion: 'v1', kind: 'Secret', metadata: metadata(`mine-${purpose}`) },
    ]),
    ['Service of the provider for KubeVirt', { apiVersion: 'v1', kind: 'Service', metadata: metadata('mine-lb') }],
    ['KubeadmControlPlane', { ...Kinds.kubeadmControlPlane, metadata: metadata('mine-cp') }],
  ])('is refused before any write, without permission to list: %s', async (_what, object) => {
    const host = await startClusterHost(refuseLists);
    const { apiVersion, kind } = object;
    const existing = host.store.put({ apiVersion, kind, metadata: object.metadata });
    const job = host.job({ name: 'mine', cni: 'test/cni.yaml' });
    writeManifest(job.directory);
    const main = await job.main();
    expect(main.exitCode).toBe(1);
    expect(main.log).toMatch(
      new RegExp(
        `^✖ ${kind} knest/${object.metadata.name} exists already, and belongs to .*KNEST_OWNED_BY_OTHER$`,
        'm',
      ),
    );
    expect(host.server.writes).toEqual([]);
    const post = await job.post('failure');
    expect(post.exitCode, post.log).toBe(0);
    expect(post.log).not.toContain('::warning');
    expect(host.server.writes).toEqual([]);
    expect(host.store.of({ ...Kinds.secret, apiVersion, kind })).toEqual([existing]);
  });

  it('is refused in the same way with permission to list everything', async () => {
    const host = await startClusterHost();
    host.store.put({ apiVersion: 'v1', kind: 'Service', metadata: metadata('mine') });
    const main = await host.job({ name: 'mine' }).main();
    expect(main.log).toMatch(/^✖ Service knest\/mine exists already, and belongs to .*KNEST_OWNED_BY_OTHER$/m);
    expect(host.server.writes).toEqual([]);
  });
});
