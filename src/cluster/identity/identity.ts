import { randomUUID } from 'node:crypto';
import type { Metadata } from '../../host/api/objects.ts';
import type { CreateInputs } from '../../inputs.ts';
import { MAX_NAME_LENGTH } from '../../inputs.ts';
import { formatInstant } from '../../values/instant.ts';
import type { Job } from '../../github/job.ts';

/** Labels: what objects are selected by. */
export const Labels = {
  managed: 'knest-action/managed',
  /** The GitHub server that the repository is on: ids of repositories are those of a server. */
  server: 'knest-action/server',
  repositoryId: 'knest-action/repository-id',
  runId: 'knest-action/run-id',
  pullRequest: 'knest-action/pull-request',
  /** The uid of the Cluster that a disk or a relay belongs to: a later cluster of the same name is another one. */
  clusterUid: 'knest-action/cluster-uid',
  /** On the pods of a tunnel's relay: they are no machine's. */
  relay: 'knest-action/relay',
  /** On all that makes up the registry of a cluster: its pod does not belong to a machine either. */
  registry: 'knest-action/registry',
  /** On a Cluster that a pool keeps ready, and that no job has claimed: the name of the pool. */
  pool: 'knest-action/pool',
  /** Cluster API's own: on everything that belongs to a cluster. */
  clusterName: 'cluster.x-k8s.io/cluster-name',
} as const;

/** Annotations: what people and clean-up read. */
export const Annotations = {
  repository: 'knest-action/repository',
  runUrl: 'knest-action/run-url',
  runAttempt: 'knest-action/run-attempt',
  /** Which use of the action in the run, see `useOf`. */
  job: 'knest-action/job',
  /** `true` when its job deletes it in the end, `false` when it is meant to outlive its run. */
  ephemeral: 'knest-action/ephemeral',
  expiresAt: 'knest-action/expires-at',
  /** Set by people, to anything but `false`: clean-up leaves the cluster alone. */
  keep: 'knest-action/keep',
  /** The random token of the use of the action that claimed the cluster last. A nonce, not a secret. */
  claim: 'knest-action/claim',
  /** A hash of the objects that the cluster was created from. */
  template: 'knest-action/template',
  /** Present until every object of the cluster exists. */
  unfinished: 'knest-action/unfinished',
  /** On a cluster that outlives its job, until a create hands it over: see `unsettledMarks`. */
  unsettled: 'knest-action/unsettled',
  /** The port of localhost by which images of the cluster's registry are named, in all jobs; missing without one. */
  registryPort: 'knest-action/registry-port',
  /** The uid of the pod that has the images of its registry. */
  registryPod: 'knest-action/registry-pod',
  /** The address on the host by which its nodes pull from there. */
  registryAddress: 'knest-action/registry-address',
  /** What a cluster is being upgraded to, until it is: see `src/cluster/upgrade`. */
  upgrade: 'knest-action/upgrade',
  /** On a Cluster that a pool made: what tells it from clusters that other inputs make. */
  poolFingerprint: 'knest-action/pool-fingerprint',
  /** On a Cluster that was claimed from a pool: the name of the pool, for people. */
  fromPool: 'knest-action/from-pool',
  /** On the resource set of a cluster: the add-ons that it installs, for people. */
  addons: 'knest-action/addons',
  /** On a machine template that an upgrade made: the name of the one that it replaces. */
  replaces: 'knest-action/replaces',
} as const;

/** Whether a pod of a cluster is one of the action's own, and no machine's. */
export function isOwnPod({ labels = {} }: Metadata): boolean {
  return labels[Labels.relay] !== undefined || labels[Labels.registry] !== undefined;
}

/** What distinguishes a repository from all others. */
export type RepositoryIdentity = Pick<Job, 'server' | 'repositoryId'>;

/** Labels or annotations. */
export type Marks = Readonly<Record<string, string>>;

/** Which nested cluster this is about, who owns it, and until when it may live: known before anything exists. */
export interface ClusterIdentity {
  readonly name: string;
  readonly namespace: string;
  /** Whether the name was made for this use of the action, which then never adopts a cluster. */
  readonly isNameGenerated: boolean;
  /** Whether the post step of this use of the action deletes the cluster. */
  readonly ephemeral: boolean;
  /** The token by which this use of the action recognizes what it claimed. */
  readonly claim: string;
  /** Labels of everything that belongs to the cluster. They never change. */
  readonly repository: Marks;
  /** Labels of the Cluster, those of the repository among them. */
  readonly owner: Marks;
  /** Annotations of the Cluster. */
  readonly annotations: Marks;
  /** RFC 3339; undefined when the cluster never expires. */
  readonly expiresAt: string | undefined;
  /** What a Cluster that outlives its job has besides until it is handed over; nothing on any other. */
  readonly unsettled: Marks;
}

/**
 * The identity of the cluster to create. `now`: milliseconds since the epoch, by the host's clock. `claim`: random, and
 * in the state before the first write.
 */
export function identify(inputs: CreateInputs, job: Job, now: number, claim: string = randomUUID()): ClusterIdentity {
  const { name, namespace, ephemeral, ttlSeconds, jobIndex } = inputs;
  const expiresAt = ttlSeconds === undefined ? undefined : formatInstant(now + ttlSeconds * 1000);
  return {
    name: name ?? generatedName(job, claim),
    namespace,
    isNameGenerated: name === undefined,
    ephemeral,
    claim,
    repository: repositoryLabels(job),
    owner: ownerLabels(job),
    annotations: {
      [Annotations.repository]: job.repository,
      [Annotations.runUrl]: job.runUrl,
      [Annotations.runAttempt]: job.runAttempt,
      [Annotations.job]: useOf(job, jobIndex),
      [Annotations.ephemeral]: String(ephemeral),
      [Annotations.claim]: claim,
      ...(expiresAt !== undefined && { [Annotations.expiresAt]: expiresAt }),
    },
    expiresAt,
    unsettled: ephemeral
      ? {}
      : unsettledMarks(claim, expiresAt, formatInstant(now + inputs.unsettledTtlSeconds * 1000)),
  };
}

/**
 * The marks of a cluster that outlives its job, but that no job has been given yet: who makes it, and, where it is to
 * have no expiry, one for the time being. So a create that fails can delete what it made, even if another job has
 * adopted it since, and a cluster whose job is lost does not stay for ever.
 */
function unsettledMarks(claim: string, expiresAt: string | undefined, provisional: string): Marks {
  if (expiresAt !== undefined) return { [Annotations.unsettled]: `${claim}/` };
  return { [Annotations.unsettled]: `${claim}/${provisional}`, [Annotations.expiresAt]: provisional };
}

/** The labels of the repository that a cluster belongs to. */
export function repositoryLabels({ server, repositoryId }: RepositoryIdentity): Marks {
  return { [Labels.managed]: 'true', [Labels.server]: server, [Labels.repositoryId]: repositoryId };
}

/** The labels that say whose a cluster is. */
export function ownerLabels(job: Job): Marks {
  return {
    ...repositoryLabels(job),
    [Labels.runId]: job.runId,
    ...(job.pullRequest !== undefined && { [Labels.pullRequest]: job.pullRequest }),
  };
}

/**
 * Which use of the action in its run this is, the same in each attempt: the job, the leg of a matrix beyond the first,
 * and the step where it has an id or repeats another. No id of a job or step has a bracket or a slash in it.
 */
export function useOf({ jobName, step }: Pick<Job, 'jobName' | 'step'>, jobIndex: string | undefined): string {
  const leg = jobIndex === undefined || jobIndex === '0' ? '' : `[${jobIndex}]`;
  return `${jobName}${leg}${step === undefined ? '' : `/${step}`}`;
}

/** Random characters of a generated name: with 32 bits, even 1000 clusters of one attempt are very unlikely to collide. */
const RANDOM_LENGTH = 8;

/**
 * A name for the cluster of one use of the action: `knest-<run>-<attempt>-<job>-<random>`, at most 40 characters,
 * DNS-1123. The random part makes it unique: legs of a matrix, calls of one reusable workflow and uses in one composite
 * action can look the same to the action.
 */
export function generatedName(job: Job, claim: string): string {
  const random = claim.slice(0, RANDOM_LENGTH);
  const prefix = `knest-${label(job.runId)}-${label(job.runAttempt)}`.slice(0, MAX_NAME_LENGTH - random.length - 1);
  const room = MAX_NAME_LENGTH - prefix.length - random.length - 2;
  const readable = label(job.jobName).slice(0, Math.max(0, room));
  return [prefix, readable, random]
    .map((part) => part.replace(/^-+|-+$/g, ''))
    .filter((part) => part !== '')
    .join('-');
}

/** A text in the characters of a DNS-1123 label. */
function label(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '');
}

/** The Cluster's metadata with its owner, expiry and claim added. */
export function owned(metadata: Metadata, identity: ClusterIdentity): Metadata {
  return {
    ...metadata,
    labels: { ...metadata.labels, ...identity.owner },
    annotations: { ...metadata.annotations, ...identity.annotations },
  };
}
