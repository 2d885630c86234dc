import { describe, expect, it } from 'vitest';
import { claimCluster, markFinished, settle } from '../../../../src/cluster/lifecycle/claim.ts';
import { Annotations, identify, Labels, type ClusterIdentity } from '../../../../src/cluster/identity/identity.ts';
import { machineCounts } from '../../../../src/cluster/machines/machine-counts.ts';
import { withOwner } from '../../../../src/cluster/identity/owner-labels.ts';
import { planOf, type ClusterObjects } from '../../../../src/cluster/template/plan.ts';
import { Kinds } from '../../../../src/host/api/kinds.ts';
import type { Metadata } from '../../../../src/host/api/objects.ts';
import type { Answer, Received } from '../../../support/api-server.ts';
import { refusal } from '../../../support/api-server.ts';
import { readJob } from '../../../../src/github/job.ts';
import { readCreate } from '../../inputs/given-inputs.ts';
import { clientOfStore } from '../../host/store.ts';
import { rejection } from '../../rejection.ts';
import { clusterOf } from '../samples.ts';

const signal = new AbortController().signal;
const job = readJob({ GITHUB_REPOSITORY: 'acme/shop', GITHUB_RUN_ID: '1' });

/** A use of the action for a cluster that outlives its job. */
function use(claim: string, runId = '1', inputs: Readonly<Record<string, string>> = {}): ClusterIdentity {
  const given = { name: 'pr', ephemeral: 'false', ...inputs };
  return identify(readCreate(given), { ...job, runId }, 0, claim);
}

function planFor(identity: ClusterIdentity): ClusterObjects {
  return planOf({ cluster: withOwner(clusterOf(), identity), others: [], machines: machineCounts([]) }, []);
}

/** A host with the Cluster that the first use made, with more metadata. */
async function hostWith(metadata: Partial<Metadata> | undefined, answer?: (request: Received) => Answer | undefined) {
  const host = await clientOfStore(answer);
  const { cluster } = planFor(use('first'));
  if (metadata !== undefined) {
    const annotations = { ...cluster.metadata.annotations, ...metadata.annotations };
    host.store.put({ ...cluster, metadata: { ...cluster.metadata, ...metadata, annotations } });
  }
  const lines: string[] = [];
  const claim = (identity: ClusterIdentity) =>
    claimCluster(host.client, planFor(identity), identity, { line: (text) => void lines.push(text) }, signal);
  const metadataNow = () => host.store.find(Kinds.cluster, 'pr')?.metadata;
  const writes = () => host.received.filter(({ method, path }) => method !== 'GET' && path.includes('/clusters'));
  return { ...host, lines, claim, metadataNow, writes };
}

describe('claimCluster', () => {
  it('creates a Cluster that is marked as incomplete and as not handed over', async () => {
    const { claim, metadataNow } = await hostWith(undefined);
    const identity = use('first');
    expect(await claim(identity)).toMatchObject({ created: true, isUnfinished: true });
    expect(metadataNow()?.annotations).toMatchObject({
      [Annotations.template]: planFor(identity).fingerprint,
      [Annotations.unfinished]: 'true',
      [Annotations.unsettled]: expect.stringMatching(/^first\/.*Z$/) as string,
    });
  });

  it('adopts a Cluster by one write to owner, expiry and claim, tied to the uid and version that it read', async () => {
    const annotations = { [Annotations.expiresAt]: '2026-11-24T12:00:00Z', [Annotations.template]: 'old', own: 'x' };
    const { claim, metadataNow, writes, store, lines } = await hostWith({ annotations });
    const { uid, resourceVersion } = store.find(Kinds.cluster, 'pr')?.metadata ?? {};
    const identity = use('second', '2');
    const claimed = await claim(identity);
    expect(claimed).toMatchObject({ created: false, isUnfinished: false, cluster: { metadata: { uid } } });
    expect(writes().map(({ method }) => method)).toEqual(['POST', 'PATCH']);
    expect(JSON.parse(writes()[1]?.body ?? '')).toMatchObject({ metadata: { uid, resourceVersion } });
    const now = metadataNow();
    expect(now?.labels?.[Labels.runId]).toBe('2');
    expect(now?.annotations).toMatchObject({ [Annotations.claim]: 'second', [Annotations.template]: 'old', own: 'x' });
    expect(now?.annotations).not.toHaveProperty([Annotations.expiresAt]);
    expect(now?.annotations).not.toHaveProperty([Annotations.unsettled]);
    expect(lines).toEqual([]);
  });

  it('gives an adopted Cluster its own expiry', async () => {
    const { claim, metadataNow } = await hostWith({});
    await claim(use('second', '2', { ttl: '1h' }));
    expect(metadataNow()?.annotations?.[Annotations.expiresAt]).toBe('1970-01-01T01:00:00Z');
  });

  it('keeps the maker of an adopted Cluster that nobody was given yet, with a new provisional expiry', async () => {
    const { fingerprint } = planFor(use('first'));
    const { claim, metadataNow } = await hostWith({
      annotations: {
        [Annotations.unsettled]: 'maker/1969-01-01T00:00:00Z',
        [Annotations.unfinished]: 'true',
        [Annotations.template]: fingerprint,
      },
    });
    expect(await claim(use('second', '2'))).toMatchObject({ created: false, isUnfinished: true });
    const annotations = metadataNow()?.annotations ?? {};
    const provisional = annotations[Annotations.expiresAt];
    expect(provisional).toMatch(/^1970-/);
    expect(annotations[Annotations.unsettled]).toBe(`maker/${provisional}`);
  });

  it('refuses the Cluster of another repository, and does not write to it', async () => {
    const { claim, writes } = await hostWith({ labels: { [Labels.managed]: 'true', [Labels.repositoryId]: '9' } });
    expect(await rejection(claim(use('second')))).toMatchObject({ code: 'KNEST_OWNED_BY_OTHER' });
    expect(writes().map(({ method }) => method)).toEqual(['POST']);
  });

  it('waits until a Cluster that is being deleted is gone, with everything of it, and creates another', async () => {
    const { claim, store, lines } = await hostWith(
      { deletionTimestamp: '2026-11-24T12:00:00Z' },
      ({ method, path }) => {
        // It is gone when the wait looks for it.
        if (method === 'GET' && path.includes('/clusters?'))
          store.answer({ method: 'DELETE', path: clusterPath, body: {} });
        return undefined;
      },
    );
    expect(await claim(use('second'))).toMatchObject({ created: true });
    expect(lines).toEqual(['Cluster knest/pr is still being deleted; waiting until it is gone']);
  }, 20_000);

  it('logs what of the old Cluster it could not look for', async () => {
    const { claim, store, lines } = await hostWith(
      { deletionTimestamp: '2026-11-24T12:00:00Z' },
      ({ method, path }) => {
        if (method === 'GET' && path.includes('/clusters?'))
          store.answer({ method: 'DELETE', path: clusterPath, body: {} });
        return path.includes('/pods') ? refusal(403, 'Forbidden', 'no') : undefined;
      },
    );
    expect(await claim(use('second'))).toMatchObject({ created: true });
    expect(lines[1]).toContain('not verified: pods');
  }, 20_000);

  it('rejects with any failure but a conflict', async () => {
    const { claim, received } = await hostWith(undefined, ({ method, path }) =>
      method === 'POST' && path.includes('/clusters') ? refusal(403, 'Forbidden', 'no') : undefined,
    );
    expect(await rejection(claim(use('first')))).toMatchObject({ status: 403 });
    expect(received.filter(({ path }) => path.includes('/clusters'))).toHaveLength(1);
  });
});

const clusterPath = '/apis/cluster.x-k8s.io/v1beta2/namespaces/knest/clusters/pr';

describe('markFinished', () => {
  it('removes the mark of an incomplete Cluster from that Cluster only', async () => {
    const { client, metadataNow, store } = await hostWith({ annotations: { [Annotations.unfinished]: 'true' } });
    const cluster = store.find(Kinds.cluster, 'pr') ?? clusterOf();
    const other = { ...cluster, metadata: { ...cluster.metadata, uid: 'another' } };
    expect(await rejection(markFinished(client, other))).toMatchObject({ status: 409 });
    expect(metadataNow()?.annotations).toHaveProperty([Annotations.unfinished]);
    await markFinished(client, cluster);
    expect(metadataNow()?.annotations).not.toHaveProperty([Annotations.unfinished]);
    expect(metadataNow()?.annotations).toHaveProperty([Annotations.claim], 'first');
  });
});

describe('settle', () => {
  const provisional = '2026-11-24T12:00:00Z';
  const unsettled = { [Annotations.unsettled]: `first/${provisional}`, [Annotations.expiresAt]: provisional };

  it('removes the mark and the provisional expiry', async () => {
    const { client, metadataNow, store, writes } = await hostWith({ annotations: unsettled });
    const { uid, resourceVersion } = store.find(Kinds.cluster, 'pr')?.metadata ?? {};
    await settle(client, use('first'), signal);
    expect(metadataNow()?.annotations).not.toHaveProperty([Annotations.unsettled]);
    expect(metadataNow()?.annotations).not.toHaveProperty([Annotations.expiresAt]);
    expect(JSON.parse(writes()[0]?.body ?? '')).toMatchObject({ metadata: { uid, resourceVersion } });
  });

  it('keeps an expiry that is not provisional', async () => {
    const annotations = { ...unsettled, [Annotations.expiresAt]: '2027-01-01T00:00:00Z' };
    const { client, metadataNow } = await hostWith({ annotations });
    await settle(client, use('first'), signal);
    expect(metadataNow()?.annotations).not.toHaveProperty([Annotations.unsettled]);
    expect(metadataNow()?.annotations?.[Annotations.expiresAt]).toBe('2027-01-01T00:00:00Z');
  });

  it('writes nothing to a Cluster without the mark', async () => {
    const { client, writes } = await hostWith({});
    await settle(client, use('first'), signal);
    expect(writes()).toEqual([]);
  });

  it('repeats the write when somebody changed the Cluster meanwhile', async () => {
    let isFirst = true;
    const { client, metadataNow, writes } = await hostWith({ annotations: unsettled }, ({ method }) => {
      if (method !== 'PATCH' || !isFirst) return undefined;
      isFirst = false;
      return refusal(409, 'Conflict', 'modified');
    });
    await settle(client, use('first'), signal);
    expect(writes()).toHaveLength(2);
    expect(metadataNow()?.annotations).not.toHaveProperty([Annotations.unsettled]);
  });

  it('fails when the Cluster is gone', async () => {
    const { client } = await hostWith(undefined);
    expect(await rejection(settle(client, use('first'), signal))).toMatchObject({ code: 'KNEST_INFRASTRUCTURE' });
  });
});
