import type { Cluster } from '../../host/api/cluster-api-objects.ts';
import { Annotations, Labels } from './identity.ts';

/** A nested cluster among others on a host: its state, its owner and its expiry. What it does not record is undefined. */
export interface FleetCluster {
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
  readonly resourceVersion: string;
  /** Whether its label marks it as made by this action. */
  readonly managed: boolean;
  /** `owner/name`. */
  readonly repository: string | undefined;
  readonly repositoryId: string | undefined;
  /** The GitHub server of the repository. */
  readonly server: string | undefined;
  readonly runUrl: string | undefined;
  /** The number of the pull request that it is for. */
  readonly pullRequest: string | undefined;
  /** The pool that it is a free member of. */
  readonly pool: string | undefined;
  /** RFC 3339, by the clock of the host. */
  readonly createdAt: string;
  /** As it is written on the cluster, which may not be a time; undefined when it never expires. */
  readonly expiresAt: string | undefined;
  /** Whether an annotation keeps it from cleanup. */
  readonly keep: boolean;
  /** Cluster API's word for how far it is, for example `Provisioned`. */
  readonly phase: string | undefined;
  /** The status of each of its conditions, by type. */
  readonly conditions: Readonly<Record<string, string>>;
  /** Whether its deletion was requested. */
  readonly deleting: boolean;
  /** RFC 3339, by the clock of the host; undefined unless its deletion was requested. */
  readonly deletionRequestedAt: string | undefined;
  /** The finalizers that it waits for once its deletion was requested. */
  readonly finalizers: readonly string[];
}

/** What a Cluster records about itself. */
export function fleetCluster(cluster: Cluster): FleetCluster {
  const { metadata, status } = cluster;
  const { labels = {}, annotations = {} } = metadata;
  return {
    name: metadata.name,
    namespace: metadata.namespace ?? '',
    uid: metadata.uid ?? '',
    resourceVersion: metadata.resourceVersion ?? '',
    managed: labels[Labels.managed] === 'true',
    repository: annotations[Annotations.repository],
    repositoryId: labels[Labels.repositoryId],
    server: labels[Labels.server],
    runUrl: annotations[Annotations.runUrl],
    pullRequest: labels[Labels.pullRequest],
    pool: labels[Labels.pool],
    createdAt: metadata.creationTimestamp ?? '',
    expiresAt: annotations[Annotations.expiresAt],
    keep: (annotations[Annotations.keep] ?? 'false') !== 'false',
    phase: status?.phase,
    conditions: Object.fromEntries((status?.conditions ?? []).map(({ type, status }) => [type, status])),
    deleting: metadata.deletionTimestamp !== undefined,
    deletionRequestedAt: metadata.deletionTimestamp,
    finalizers: metadata.finalizers ?? [],
  };
}
