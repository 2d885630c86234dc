import { createHash } from 'node:crypto';
import type { Metadata } from '../host/objects.ts';
import type { CreateInputs } from '../inputs.ts';
import { MAX_NAME_LENGTH } from '../inputs.ts';
import { formatInstant } from '../values/instant.ts';
import type { Job } from '../world.ts';

/** Labels: what objects are selected by. */
export const Labels = {
  managed: 'knest-action/managed',
  /** The GitHub server that the repository is on: ids of repositories are those of a server. */
  server: 'knest-action/server',
  repositoryId: 'knest-action/repository-id',
  runId: 'knest-action/run-id',
  pullRequest: 'knest-action/pull-request',
  /** The uid of the Cluster that a disk belongs to: a later cluster of the same name is another one. */
  clusterUid: 'knest-action/cluster-uid',
  /** Cluster API's own: on everything that belongs to a cluster. */
  clusterName: 'cluster.x-k8s.io/cluster-name',
} as const;

/** Annotations: what people and clean-up read. */
export const Annotations = {
  repository: 'knest-action/repository',
  runUrl: 'knest-action/run-url',
  runAttempt: 'knest-action/run-attempt',
  job: 'knest-action/job',
  /** `true` when its job deletes it in the end, `false` when it is meant to outlive its run. */
  ephemeral: 'knest-action/ephemeral',
  expiresAt: 'knest-action/expires-at',
  /** Set by people, to anything but `false`: clean-up leaves the cluster alone. */
  keep: 'knest-action/keep',
  /** Which attempt to create the Cluster made it: the answer to that request may have been lost. */
  claim: 'knest-action/claim',
} as const;

/** What tells a repository from all others. */
export type RepositoryIdentity = Pick<Job, 'server' | 'repositoryId'>;

/** Which nested cluster this is about, who owns it, and until when it may live: known before anything exists. */
export interface ClusterIdentity {
  readonly name: string;
  readonly namespace: string;
  readonly owner: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** RFC 3339; undefined when the cluster never expires. */
  readonly expiresAt: string | undefined;
}

/** The identity of the cluster to create. `now` in milliseconds since the epoch. */
export function identify(inputs: CreateInputs, job: Job, now: number): ClusterIdentity {
  const { ttlSeconds } = inputs;
  const expiresAt = ttlSeconds === undefined ? undefined : formatInstant(now + ttlSeconds * 1000);
  return {
    name: inputs.name ?? defaultName(job, inputs.jobIndex),
    namespace: inputs.namespace,
    owner: ownerLabels(job),
    annotations: {
      [Annotations.repository]: job.repository,
      [Annotations.runUrl]: job.runUrl,
      [Annotations.runAttempt]: job.runAttempt,
      [Annotations.job]: job.jobName,
      [Annotations.ephemeral]: String(inputs.ephemeral),
      ...(expiresAt !== undefined && { [Annotations.expiresAt]: expiresAt }),
    },
    expiresAt,
  };
}

/** The labels of the repository that a cluster belongs to: they never change, and everything of the cluster has them. */
export function repositoryLabels({ server, repositoryId }: RepositoryIdentity): Readonly<Record<string, string>> {
  return { [Labels.managed]: 'true', [Labels.server]: server, [Labels.repositoryId]: repositoryId };
}

/** The labels that say whose a cluster is. */
export function ownerLabels(job: Job): Readonly<Record<string, string>> {
  return {
    ...repositoryLabels(job),
    [Labels.runId]: job.runId,
    ...(job.pullRequest !== undefined && { [Labels.pullRequest]: job.pullRequest }),
  };
}

/**
 * A name for the cluster of a job: `knest-<run>-<attempt>-<job>`, with the leg of a matrix and the step where a run has
 * several; at most 40 characters, DNS-1123. What has to be cut, or changed, gets a hash, so that no two share a name.
 */
export function defaultName(job: Job, jobIndex?: string): string {
  const unique = [job.jobName, jobIndex === '0' ? undefined : jobIndex, job.step].filter(Boolean).join('-');
  const readable = unique
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '');
  const prefix = `knest-${job.runId}-${job.runAttempt}`;
  const whole = `${prefix}-${readable}`;
  if (readable !== '' && readable === unique && whole.length <= MAX_NAME_LENGTH) return whole;
  const hash = createHash('sha256').update(unique).digest('hex').slice(0, 6);
  const room = MAX_NAME_LENGTH - prefix.length - hash.length - 2;
  const cut = room > 0 ? readable.slice(0, room).replace(/-+$/, '') : '';
  return [prefix, cut, hash].filter((part) => part !== '').join('-');
}

/** What an existing cluster of the same name means for a create. */
export type Claim = 'ours' | 'deleting' | { readonly refused: string };

/**
 * Whether a create may take over a cluster that is there. The same run may, and the same repository when the cluster
 * is meant to outlive its run or is for the same pull request. Anybody else's is refused, with the reason; so is one
 * that outlives its run to a job that would delete it in the end.
 */
export function claim(existing: Metadata, identity: ClusterIdentity): Claim {
  const labels = existing.labels ?? {};
  const theirs = existing.annotations?.[Annotations.repository] ?? labels[Labels.repositoryId] ?? 'somebody';
  if (labels[Labels.managed] !== 'true') return { refused: 'it was not made by knest-action' };
  if (labels[Labels.repositoryId] !== identity.owner[Labels.repositoryId]) {
    return { refused: `it belongs to ${theirs} (${existing.annotations?.[Annotations.runUrl] ?? 'run unknown'})` };
  }
  if (existing.deletionTimestamp !== undefined) return 'deleting';
  const sameRun = labels[Labels.runId] === identity.owner[Labels.runId];
  const samePullRequest =
    labels[Labels.pullRequest] !== undefined && labels[Labels.pullRequest] === identity.owner[Labels.pullRequest];
  const outlivesItsRun = existing.annotations?.[Annotations.ephemeral] === 'false';
  if (outlivesItsRun && identity.annotations[Annotations.ephemeral] === 'true') {
    return { refused: 'it is not ephemeral, but would be deleted with this job: set ephemeral to false' };
  }
  if (sameRun || samePullRequest || outlivesItsRun) return 'ours';
  return {
    refused: `another run of this repository uses it (${existing.annotations?.[Annotations.runUrl] ?? 'unknown'})`,
  };
}

/** The object's metadata with the owner's labels and annotations added. */
export function owned(metadata: Metadata, identity: ClusterIdentity): Metadata {
  return {
    ...metadata,
    labels: { ...metadata.labels, ...identity.owner },
    annotations: { ...metadata.annotations, ...identity.annotations },
  };
}
