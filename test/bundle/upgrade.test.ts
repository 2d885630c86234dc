import { afterAll, describe, expect, it } from 'vitest';
import { Kinds } from '../../src/host/api/kinds.ts';
import { clusterOf, created, startClusterHost, type ClusterHost } from './cluster-host.ts';
import { annotations, cleanUp } from './support.ts';

afterAll(cleanUp);

/** A host with a cluster of in-memory machines of Kubernetes 1.34.1, and how often something was written to it. */
async function hostWithCluster(): Promise<{ readonly host: ClusterHost; readonly writes: number }> {
  const host = await startClusterHost();
  await created(host.job({ name: 'old', 'kubernetes-version': '1.34.1', ephemeral: 'false' }));
  return { host, writes: host.server.writes.length };
}

describe('command: upgrade', () => {
  it('needs a name and a version', async () => {
    const host = await startClusterHost();
    const { log } = await host.job({ command: 'upgrade' }).main();
    expect(log).toContain('name: is missing; upgrade needs the name of a cluster');
    expect(log).toContain('kubernetes-version: is missing; upgrade needs the version to upgrade to, for example 1.34');
  });

  it('names what keeps it from an upgrade, and writes nothing', async () => {
    const { host, writes } = await hostWithCluster();
    const refused = await host.job({ command: 'upgrade', name: 'old', 'kubernetes-version': '1.33.5' }).main();
    expect(refused.exitCode).toBe(1);
    expect(annotations(refused, 'error')).toEqual([
      expect.stringMatching(
        /^old cannot be upgraded: KubeadmControlPlane old-cp has v1\.34\.1, which is newer than v1\.33\.5/,
      ),
    ]);
    expect(host.server.writes).toHaveLength(writes);
  });

  it('has nothing to do for a cluster of that version', async () => {
    const { host, writes } = await hostWithCluster();
    const same = await host.job({ command: 'upgrade', name: 'old', 'kubernetes-version': '1.34.1' }).main();
    expect(same.exitCode, same.log).toBe(0);
    expect(same.log).toContain('✔ old has Kubernetes v1.34.1 already');
    expect(same.outputs['kubernetes-version']).toBe('v1.34.1');
    expect(host.server.writes).toHaveLength(writes);
  });

  it('that is unfinished has scale refused', async () => {
    const { host, writes } = await hostWithCluster();
    const cluster = clusterOf(host, 'old');
    const marks = { ...cluster?.metadata.annotations, 'knest-action/upgrade': 'v1.35.2/0a1b2c3d' };
    const { apiVersion, kind } = Kinds.cluster;
    host.store.put({
      apiVersion,
      kind,
      ...cluster,
      metadata: { ...cluster?.metadata, name: 'old', annotations: marks },
    });
    const scaled = await host.job({ command: 'scale', name: 'old', replicas: ':3' }).main();
    expect(scaled.log).toMatch(/old cannot be scaled: it is being upgraded to v1\.35\.2 {3}KNEST_SCALE$/m);
    expect(host.server.writes).toHaveLength(writes);
  });
});
