import { readAddons, readCni, type AddonInput, type CniInput } from '../addons.ts';
import { readAccess, readRegistry, type AccessInputs, type RegistryInputs } from '../access.ts';
import { MAX_NAME_LENGTH, MAX_POOL_NAME_LENGTH, readCommon, type CommonInputs } from '../common.ts';
import { readDownloads, type DownloadInputs } from '../downloads.ts';
import { choiceOn, type Choice, type ImageInputs } from '../machine-images.ts';
import { readControlPlaneCount, readMachine, readWorkerCount, type MachineInputs } from '../machines.ts';
import { readNetworks, type NetworkInputs } from '../networks.ts';
import { readLifetime, type LifetimeInputs } from '../persistent.ts';
import type { InputReader } from '../reading/reader.ts';
import { readTemplate, type TemplateInputs } from '../template.ts';
import { readVariables, type VariableInputs } from '../variables.ts';
import type { ComponentVersions } from '../../catalog/versions.ts';
import { readVersions } from '../versions.ts';

/** How far `create` waits. */
export type WaitFor = 'control-plane' | 'nodes' | 'none';
/** Seconds that an ephemeral cluster may live by default: 2 hours more than the longest job on a hosted runner, 6 hours. */
const EPHEMERAL_TTL_SECONDS = 8 * 3600;

/** The inputs of `command: create`. */
export type CreateInputs = LifetimeInputs & ClusterInputs;

/** The same once the infrastructure is chosen, and with it the version and the images. */
export type ChosenInputs = LifetimeInputs & Omit<ClusterInputs, 'infrastructure'> & Choice;

/** What every cluster is asked for, however long it lasts. */
interface ClusterInputs
  extends CommonInputs, AccessInputs, ImageInputs, NetworkInputs, RegistryInputs, TemplateInputs, VariableInputs {
  readonly command: 'create';
  /** Undefined: made from the run, its attempt and the job. */
  readonly name: string | undefined;
  /** The pool from which a ready cluster is claimed, if it has one; undefined: none. */
  readonly pool: string | undefined;
  /** Which leg of a matrix the job is: `GITHUB_JOB` is the same for all. */
  readonly jobIndex: string | undefined;
  /** The number of the pull request that it is for; undefined: that of the event, if any. */
  readonly pullRequest: string | undefined;
  readonly downloads: DownloadInputs;
  readonly controlPlane: MachineInputs;
  readonly workers: MachineInputs;
  readonly versions: ComponentVersions;
  readonly cni: CniInput;
  readonly addons: readonly AddonInput[];
  readonly waitFor: WaitFor;
  /** Whether the cluster of a job that fails stays until it expires. */
  readonly keepOnFailure: boolean;
  /** Seconds until anyone may delete the cluster; undefined when it never expires. */
  readonly ttlSeconds: number | undefined;
  /** Seconds until anyone may delete a cluster that outlives its job, but that this create has not handed over. */
  readonly unsettledTtlSeconds: number;
}

/** Reads the inputs of `create`. */
export function readCreate(reader: InputReader): CreateInputs {
  const cluster = {
    command: 'create' as const,
    // A Service of the host has the name of the cluster, whichever engine makes it.
    name: reader.optionalName('name', { maxLength: MAX_NAME_LENGTH, first: 'letter' }),
    pool: reader.optionalName('pool', { maxLength: MAX_POOL_NAME_LENGTH, first: 'letter' }),
    jobIndex: /^\d+$/.exec(reader.optional('job-index') ?? '')?.[0],
    pullRequest: readPullRequest(reader),
    ...readCommon(reader),
  };
  const askedVersion = reader.kubernetesVersion('kubernetes-version');
  const persistent = reader.boolean('persistent');
  const downloads = readDownloads(reader);
  const template = readTemplate(reader, downloads);
  const controlPlane = readMachine(reader, 'control-plane', readControlPlaneCount(reader));
  const workers = readMachine(reader, 'worker', readWorkerCount(reader));
  const lifetime = readLifetime(reader, persistent, controlPlane.count + workers.count);
  const inputs = {
    ...cluster,
    downloads,
    ...template,
    ...readVariables(reader, template.clusterTemplate !== undefined),
    versions: readVersions(reader, template.infrastructure),
    askedVersion,
    nodeImage: reader.optionalImage('node-image'),
    controlPlane,
    workers,
    ...readNetworks(reader),
    waitFor: reader.choice('wait-for', ['control-plane', 'nodes', 'none']),
    ...readAccess(reader),
    ...readRegistry(reader),
    ...lifetime,
    keepOnFailure: reader.boolean('keep-on-failure'),
    ttlSeconds: reader.optionalDuration('ttl') ?? (lifetime.ephemeral ? EPHEMERAL_TTL_SECONDS : undefined),
    // Longer than the create itself can take.
    unsettledTtlSeconds: Math.max(EPHEMERAL_TTL_SECONDS, cluster.timeoutSeconds + 3600),
  };
  if (inputs.pool !== undefined) checkPool(reader, inputs);
  const cni = readCni(reader, downloads, inputs.podNetworkCidr);
  const all = { ...inputs, cni, addons: readAddons(reader, downloads) };
  if (all.infrastructure !== 'auto') {
    const choice = choiceOn(all.infrastructure, all);
    if ('problems' in choice) for (const { input, problem } of choice.problems) reader.problem(input, problem);
  }
  return all;
}

/** What the clusters of a pool cannot have. */
function checkPool(
  reader: InputReader,
  { name, persistent, registry }: Pick<ClusterInputs, 'name' | 'registry'> & LifetimeInputs,
): void {
  if (name !== undefined) reader.problem('name', 'is set, but the clusters of a pool have names already; remove it');
  if (persistent)
    reader.problem(
      'persistent',
      'is true, but the clusters of a pool are not persistent; set it to false, or create the cluster without pool',
    );
  // Its port is that of one job, and its nodes are given it when they are made.
  if (registry !== undefined)
    reader.problem(
      'registry',
      'is true, but the clusters of a pool have no registry; set it to false, or create the cluster without pool',
    );
}

function readPullRequest(reader: InputReader): string | undefined {
  const text = reader.optional('pull-request');
  if (text === undefined || /^[1-9]\d{0,14}$/.test(text)) return text;
  reader.problem('pull-request', `"${text}" is not the number of a pull request; for example 17`);
  return undefined;
}
