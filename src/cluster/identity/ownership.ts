import { KnestError } from '../../errors.ts';
import type { KubernetesClient } from '../../host/api/client.ts';
import { Kinds } from '../../host/api/kinds.ts';
import type { Cluster } from '../../host/api/cluster-api-objects.ts';
import type { Metadata } from '../../host/api/objects.ts';
import {
  Annotations,
  Labels,
  repositoryLabels,
  type ClusterIdentity,
  type Marks,
  type RepositoryIdentity,
} from './identity.ts';
import type { ClusterHandle } from './cluster-handle.ts';

/** What must be on a cluster for it to be one that may be changed. */
export interface Proof {
  readonly labels: Marks;
  readonly annotations?: Marks;
}

/** What proves a cluster to be the repository's: any job of it may scale and delete it, that is what a handle is for. */
export function proofOfRepository(repository: RepositoryIdentity): Proof {
  return { labels: repositoryLabels(repository) };
}

/** What one use of the action has claimed. */
export interface Claim {
  readonly repository: Marks;
  readonly claim: string;
  /** The marks of a cluster that outlives its job, until that is handed over; none of an ephemeral one. */
  readonly unsettled: Marks;
}

/**
 * What proves a cluster to be the one that this use of the action claimed, that no other took over since, and that ends
 * with it: it is ephemeral, or this use made it and has not handed it over.
 */
export function proofOfClaim({ repository, claim, unsettled }: Claim): Proof {
  const mark = unsettled[Annotations.unsettled];
  const fate = mark === undefined ? { [Annotations.ephemeral]: 'true' } : { [Annotations.unsettled]: mark };
  return { labels: repository, annotations: { [Annotations.claim]: claim, ...fate } };
}

const HAND_OVER = 'to hand it to this repository, its owner runs';

/** What is not on the cluster of the proof, for people; undefined when all of it is. */
export function lackOf({ metadata }: Cluster, proof: Proof): string | undefined {
  const { labels = {}, annotations = {} } = metadata;
  return missingMark(labels, proof.labels) ?? missingMark(annotations, proof.annotations ?? {});
}

/** What an argument of a command may be made of to mean itself in every shell. */
const PLAIN = /^[\w./=][\w./=-]*$/;

/**
 * The command by which the owner of a cluster that this action did not make, for example one of the knest CLI, hands it
 * to a repository. Undefined for a cluster with another owner, and where a name is not one that a real API server lets
 * through: people run the command in a shell.
 */
export function handOverCommand({ metadata }: Pick<Cluster, 'metadata'>, wanted: Marks): string | undefined {
  const { name, namespace = '', labels = {}, annotations = {} } = metadata;
  const isOthers = Object.entries(wanted).some(([label, value]) => (labels[label] ?? value) !== value);
  if (isOthers || annotations[Annotations.repository] !== undefined) return undefined;
  const values = Object.entries(wanted).map(([label, value]) => `${label}=${value}`);
  if (![name, namespace, ...values].every((text) => PLAIN.test(text))) return undefined;
  return `kubectl label clusters.cluster.x-k8s.io ${name} --namespace ${namespace} ${values.join(' ')}`;
}

/** Throws KNEST_OWNED_BY_OTHER when the cluster lacks a mark of the proof. `verb`: what the caller then does not do. */
export function checkOwner(cluster: Cluster, proof: Proof, verb: string): void {
  const missing = lackOf(cluster, proof);
  if (missing === undefined) return;
  const { name, namespace = '', annotations = {} } = cluster.metadata;
  const owner = annotations[Annotations.repository];
  const command = proof.annotations === undefined ? handOverCommand(cluster, proof.labels) : undefined;
  throw new KnestError({
    code: 'KNEST_OWNED_BY_OTHER',
    problem: `Cluster ${namespace}/${name} is not ${verb}: ${missing}`,
    evidence: [
      owner === undefined ? 'it names no owner' : `it belongs to ${owner}: ${annotations[Annotations.runUrl] ?? ''}`,
    ],
    next: command === undefined ? `have it ${verb} from where it was created` : `${HAND_OVER}: ${command}`,
  });
}

/** The first mark that is missing or has another value, for people. */
function missingMark(marks: Marks, wanted: Marks): string | undefined {
  const missing = Object.entries(wanted).find(([mark, value]) => marks[mark] !== value);
  if (missing === undefined) return undefined;
  const [mark, value] = missing;
  return `${mark} is ${marks[mark] ?? 'missing'}, not ${value}`;
}

/** How a job gets a cluster of a pool. */
function claimIt(pool: string): string {
  return `set pool: ${pool} and no name; the output name has that of the cluster`;
}

/** The repository's cluster of that name, unless it is free in a pool. Throws KNEST_NOT_FOUND, KNEST_OWNED_BY_OTHER. */
export async function findOwned(
  client: KubernetesClient,
  { name, namespace }: ClusterHandle,
  repository: RepositoryIdentity,
): Promise<Cluster> {
  const cluster = await client.get(Kinds.cluster, name, namespace);
  if (cluster === undefined) {
    throw new KnestError({
      code: 'KNEST_NOT_FOUND',
      problem: `there is no cluster ${namespace}/${name}`,
      next: 'check name and namespace: both are outputs of the step that created it',
    });
  }
  checkOwner(cluster, proofOfRepository(repository), 'used');
  const pool = cluster.metadata.labels?.[Labels.pool];
  if (pool === undefined) return cluster;
  throw new KnestError({
    code: 'KNEST_OWNED_BY_OTHER',
    problem: `Cluster ${namespace}/${name} is not used: it is a free member of the pool ${pool}`,
    next: claimIt(pool),
  });
}

/** What an existing cluster of the same name means for a create. */
export type Verdict = 'adopt' | 'deleting' | { readonly refused: string; readonly next: string };

const OTHER_NAME = 'choose another name';
const USE_IT = 'to use it without owning it, set command: kubeconfig; for a cluster of your own, choose another name';

/**
 * Whether a create may adopt a cluster that exists. A cluster that outlives its run (`ephemeral: false`) is adopted by
 * any run of its repository that leaves it alive too, and that is for the same pull request, or, as the cluster, for
 * none. An ephemeral one is only adopted by a later attempt of the very same use of the action: its owner would delete it
 * under any other job. A generated name is for one use alone. A cluster that lacks objects is only adopted by a create
 * that makes the same ones.
 */
export function judgeExisting(existing: Metadata, identity: ClusterIdentity, fingerprint: string): Verdict {
  const { labels = {}, annotations = {} } = existing;
  const run = annotations[Annotations.runUrl] ?? 'run unknown';
  if (labels[Labels.managed] !== 'true') {
    const command = handOverCommand({ metadata: existing }, identity.repository);
    const next =
      command === undefined
        ? OTHER_NAME
        : `${OTHER_NAME}, or use it with command: kubeconfig; ${HAND_OVER}: ${command}`;
    return { refused: 'knest-action did not create it', next };
  }
  if (missingMark(labels, identity.repository) !== undefined) {
    const owner = annotations[Annotations.repository] ?? labels[Labels.repositoryId] ?? 'another repository';
    return { refused: `it belongs to ${owner} (${run})`, next: OTHER_NAME };
  }
  if (identity.isNameGenerated) {
    return {
      refused: `another job generated the same name (${run})`,
      next: 'run the job again: it gets another name',
    };
  }
  if (existing.deletionTimestamp !== undefined) return 'deleting';
  const pool = labels[Labels.pool];
  if (pool !== undefined) return { refused: `it is a free member of the pool ${pool}`, next: claimIt(pool) };
  return refusal(existing, identity, run) ?? unlikeTemplate(annotations, fingerprint, run) ?? 'adopt';
}

/** Why a cluster of the same repository is not adopted; undefined when it is. */
function refusal(
  { labels = {}, annotations = {} }: Metadata,
  identity: ClusterIdentity,
  run: string,
): Exclude<Verdict, string> | undefined {
  const isOfOther = unlikePullRequest(labels[Labels.pullRequest], identity.owner[Labels.pullRequest], run);
  if (isOfOther !== undefined) return isOfOther;
  const isEphemeral = annotations[Annotations.ephemeral] !== 'false';
  if (!isEphemeral && identity.ephemeral) {
    const refused = 'it is not ephemeral, but would be deleted with this job';
    return { refused, next: `to adopt it, set ephemeral to false; ${USE_IT}` };
  }
  if (!isEphemeral) return undefined;
  if (!identity.ephemeral)
    return { refused: `it is ephemeral and is deleted when its job ends (${run})`, next: USE_IT };
  const isSameUse =
    labels[Labels.runId] === identity.owner[Labels.runId] &&
    annotations[Annotations.job] === identity.annotations[Annotations.job];
  const [theirs, ours] = [annotations, identity.annotations].map((marks) => Number(marks[Annotations.runAttempt]));
  if (isSameUse && theirs !== undefined && ours !== undefined && theirs < ours) return undefined;
  return {
    refused: `another step or job owns it (${annotations[Annotations.job] ?? 'job unknown'}, ${run})`,
    next: USE_IT,
  };
}

/**
 * The code of a pull request administers the clusters that are made for it, and may have left anything in them: no other
 * run trusts one with its secrets. Nor does the run of a pull request take a cluster over from others, which cleanup
 * would delete once the pull request is closed.
 */
function unlikePullRequest(
  theirs: string | undefined,
  ours: string | undefined,
  run: string,
): Exclude<Verdict, string> | undefined {
  if (theirs === ours) return undefined;
  if (theirs === undefined) {
    return {
      refused: `it belongs to no pull request, but this run is for pull request ${ours ?? ''} (${run})`,
      next: USE_IT,
    };
  }
  return {
    refused: `it is for pull request ${theirs}, whose code may have changed anything in it (${run})`,
    next: `${OTHER_NAME}; if this run is for that pull request, set pull-request: ${theirs}`,
  };
}

function unlikeTemplate(annotations: Marks, fingerprint: string, run: string): Exclude<Verdict, string> | undefined {
  if (annotations[Annotations.unfinished] === undefined || annotations[Annotations.template] === fingerprint) {
    return undefined;
  }
  return {
    refused: `it is incomplete, and this step would complete it with different objects (${run})`,
    next: 'wait until the job that creates it has ended; if that job was lost, delete the cluster with command: delete',
  };
}

/** The error for a cluster that a create does not adopt. */
export function notAdopted(
  { name, namespace }: ClusterHandle,
  { refused, next }: Exclude<Verdict, string>,
): KnestError {
  return new KnestError({
    code: 'KNEST_OWNED_BY_OTHER',
    problem: `cluster ${namespace}/${name} already exists, and ${refused}`,
    next,
  });
}
