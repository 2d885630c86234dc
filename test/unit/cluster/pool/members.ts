import { fleetCluster } from '../../../../src/cluster/identity/fleet-cluster.ts';
import { Annotations, Labels } from '../../../../src/cluster/identity/identity.ts';
import type { PoolMember } from '../../../../src/cluster/pool/member.ts';
import type { Cluster } from '../../../../src/host/api/cluster-api-objects.ts';

/** Milliseconds. */
export const HOUR = 3_600_000;
/** The time on the host. */
export const now = Date.parse('2026-11-24T12:00:00Z');

/** What a member is to be like. */
export interface MemberChanges extends Partial<Omit<PoolMember, 'state'>> {
  readonly slot?: number;
  /** Milliseconds since it was created, and until it expires. */
  readonly age?: number;
  readonly life?: number;
  readonly state?: { readonly state: PoolMember['state']['state'] };
}

/** A member of the pool `small` that is ready, an hour old, with these changes. */
export function memberWith({ slot = 1, age = HOUR, life = 10 * HOUR, ...changes }: MemberChanges): PoolMember {
  const fingerprint = changes.fingerprint ?? 'ours';
  const cluster: Cluster = {
    apiVersion: 'cluster.x-k8s.io/v1beta2',
    kind: 'Cluster',
    metadata: {
      name: `small-slot-${slot}`,
      namespace: 'knest',
      uid: `u-${slot}`,
      resourceVersion: String(slot),
      creationTimestamp: new Date(now - age).toISOString(),
      labels: { [Labels.managed]: 'true', [Labels.pool]: 'small' },
      annotations: {
        [Annotations.expiresAt]: new Date(now + life).toISOString(),
        [Annotations.poolFingerprint]: fingerprint,
        [Annotations.unsettled]: 'filler/',
      },
    },
  };
  return {
    ...fleetCluster(cluster),
    pool: 'small',
    cluster,
    fingerprint,
    state: { state: 'ready' },
    hostNodes: [],
    isReady: true,
    ...changes,
  };
}
