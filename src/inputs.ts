import { InputReader, type GetInput } from './input-reader.ts';
import { clusterApiProblem } from './install/components.ts';
import type { Cidr } from './values/cidr.ts';
import { overlaps } from './values/cidr.ts';
import { parseReplicas, type Replicas } from './values/replicas.ts';
import type { Version } from './values/version.ts';

/** How to find and enter the host cluster. Blank fields fall back to KUBECONFIG, ~/.kube/config, the pod's own account. */
export interface HostInputs {
  readonly kubeconfig: string | undefined;
  readonly kubeconfigFile: string | undefined;
  readonly context: string | undefined;
}

/** What a download must prove before it is used. `mirror` trusts the sums published beside the assets of the mirror. */
export type ChecksumPolicy = 'require' | 'mirror' | 'warn';

/** Where release assets come from and how they are verified. */
export interface DownloadInputs {
  /** Replaces https://github.com; undefined for GitHub itself. */
  readonly mirror: string | undefined;
  readonly checksumPolicy: ChecksumPolicy;
  readonly githubToken: string | undefined;
}

/** How to reach the nested API server, and whether the steps that follow do. */
export interface AccessInputs {
  readonly apiAccess: ApiAccess;
  readonly apiHost: string | undefined;
  readonly setKubeconfig: boolean;
}

interface CommonInputs {
  readonly host: HostInputs;
  readonly namespace: string;
  /** One budget for the whole command, in seconds. */
  readonly timeoutSeconds: number;
}

/** The machines of one role. */
export interface MachineInputs {
  readonly count: number;
  readonly cpuCores: number;
  readonly memorySize: string;
  readonly kernelImage: string;
  readonly rootfsImage: string;
  readonly rootfsSize: string;
}

/** The infrastructure providers that the action has a template for. */
export type Infrastructure = 'virtink' | 'docker';
/** How far `create` waits. */
export type WaitFor = 'control-plane' | 'nodes' | 'none';
/** How the job reaches the nested API server. */
export type ApiAccess = 'auto' | 'cluster-ip' | 'node-port' | 'load-balancer';

/** The version of everything `create` may install, each with its leading `v`. */
export interface ComponentVersions {
  readonly clusterApi: string;
  readonly certManager: string;
  readonly virtinkProvider: string;
  readonly virtink: string;
}

/** What `command: create` was asked for. */
export interface CreateInputs extends CommonInputs, AccessInputs {
  readonly command: 'create';
  /** Undefined: made from the run, its attempt and the job. */
  readonly name: string | undefined;
  /** Which leg of a matrix the job is: `GITHUB_JOB` is the same for all. */
  readonly jobIndex: string | undefined;
  readonly downloads: DownloadInputs;
  readonly infrastructure: Infrastructure;
  readonly versions: ComponentVersions;
  readonly kubernetesVersion: Version;
  readonly controlPlane: MachineInputs;
  readonly workers: MachineInputs;
  /** Undefined: the first usual range that the host does not use. */
  readonly podNetworkCidr: Cidr | undefined;
  readonly serviceCidr: Cidr | undefined;
  readonly waitFor: WaitFor;
  readonly ephemeral: boolean;
  /** Seconds until anyone may delete an ephemeral cluster. */
  readonly ttlSeconds: number;
}

/** What `command: delete` was asked for. */
export interface DeleteInputs extends CommonInputs {
  readonly command: 'delete';
  readonly name: string;
}

/** What `command: scale` was asked for. */
export interface ScaleInputs extends CommonInputs {
  readonly command: 'scale';
  readonly name: string;
  readonly replicas: Replicas;
}

/** What `command: kubeconfig` was asked for. */
export interface KubeconfigInputs extends CommonInputs, AccessInputs {
  readonly command: 'kubeconfig';
  readonly name: string;
}

/** Every input, read once; a member for each command. */
export type Inputs = CreateInputs | DeleteInputs | ScaleInputs | KubeconfigInputs;

/** Cluster names stay below this, so that `<name>-cp-xxxxx-xxxxx` and the VM's pod still fit 63 characters. */
export const MAX_NAME_LENGTH = 40;

/**
 * Reads and checks every input of the command; the defaults are those of action.yml.
 * Throws KNEST_INPUT with all problems at once.
 */
export function readInputs(get: GetInput): Inputs {
  const reader = new InputReader(get);
  const command = reader.choice('command', ['create', 'delete', 'scale', 'kubeconfig']);
  const inputs = readCommand(reader, command);
  reader.finish();
  return inputs;
}

function readCommon(reader: InputReader): CommonInputs {
  const kubeconfig = reader.optional('host-kubeconfig');
  const kubeconfigFile = reader.optional('host-kubeconfig-file');
  if (kubeconfig !== undefined && kubeconfigFile !== undefined) {
    reader.problem('host-kubeconfig-file', 'is set together with host-kubeconfig; set one of them');
  }
  const namespace = reader.optionalName('namespace', 63);
  if (namespace === undefined) reader.problem('namespace', 'is missing; for example knest');
  return {
    host: { kubeconfig, kubeconfigFile, context: reader.optional('host-context') },
    namespace: namespace ?? '',
    timeoutSeconds: reader.duration('timeout'),
  };
}

function readCommand(reader: InputReader, command: Inputs['command']): Inputs {
  switch (command) {
    case 'create':
      return readCreate(reader);
    case 'delete':
      return { command, name: readGivenName(reader, command), ...readCommon(reader) };
    case 'scale':
      return { command, name: readGivenName(reader, command), ...readCommon(reader), replicas: readReplicas(reader) };
    case 'kubeconfig':
      return { command, name: readGivenName(reader, command), ...readCommon(reader), ...readAccess(reader) };
  }
}

/** The name of a cluster that is there already. */
function readGivenName(reader: InputReader, command: string): string {
  const name = reader.optionalName('name', MAX_NAME_LENGTH);
  if (name === undefined) reader.problem('name', `is missing; ${command} needs the name of a cluster`);
  return name ?? '';
}

function readReplicas(reader: InputReader): Replicas {
  const text = reader.required('replicas', 'for example 3:2 (CP:WORKER), 3: or :2');
  const replicas = text === '' ? { controlPlane: undefined, workers: undefined } : parseReplicas(text);
  if (!('problem' in replicas)) return replicas;
  reader.problem('replicas', replicas.problem);
  return { controlPlane: undefined, workers: undefined };
}

function readCreate(reader: InputReader): CreateInputs {
  const kubernetesVersion = reader.version('kubernetes-version');
  const ephemeral = reader.boolean('ephemeral');
  return {
    command: 'create',
    name: reader.optionalName('name', MAX_NAME_LENGTH),
    jobIndex: /^\d+$/.exec(reader.optional('job-index') ?? '')?.[0],
    ...readCommon(reader),
    downloads: readDownloads(reader),
    infrastructure: reader.choice('infrastructure', ['virtink', 'docker']),
    versions: readVersions(reader),
    kubernetesVersion,
    controlPlane: readMachine(reader, 'control-plane', readControlPlaneCount(reader), kubernetesVersion),
    workers: readMachine(reader, 'worker', reader.integer('worker-machine-count', 0, 1000), kubernetesVersion),
    ...readNetworks(reader),
    waitFor: reader.choice('wait-for', ['control-plane', 'nodes', 'none']),
    ...readAccess(reader),
    ephemeral,
    ttlSeconds: reader.duration('ttl'),
  };
}

function readAccess(reader: InputReader): AccessInputs {
  return {
    apiAccess: reader.choice('api-access', ['auto', 'cluster-ip', 'node-port', 'load-balancer']),
    apiHost: reader.optional('api-host'),
    setKubeconfig: reader.boolean('set-kubeconfig'),
  };
}

function readDownloads(reader: InputReader): DownloadInputs {
  const mirror = reader.optionalUrl('mirror');
  const checksumPolicy = reader.choice('checksum-policy', ['require', 'mirror', 'warn']);
  if (checksumPolicy === 'mirror' && mirror === undefined) {
    reader.problem('checksum-policy', 'is mirror, but no mirror is set');
  }
  return { mirror, checksumPolicy, githubToken: reader.optional('github-token') };
}

function readVersions(reader: InputReader): ComponentVersions {
  const clusterApi = reader.version('cluster-api-version');
  const problem = clusterApi.major > 0 ? clusterApiProblem(clusterApi) : undefined;
  if (problem !== undefined) reader.problem('cluster-api-version', `v${clusterApi.text} ${problem}; v1.11 to v1.15`);
  return {
    clusterApi: `v${clusterApi.text}`,
    certManager: `v${reader.version('cert-manager-version').text}`,
    virtinkProvider: `v${reader.version('virtink-provider-version').text}`,
    virtink: `v${reader.version('virtink-version').text}`,
  };
}

function readControlPlaneCount(reader: InputReader): number {
  const count = reader.integer('control-plane-machine-count', 1, 9);
  if (count > 0 && count % 2 === 0) {
    reader.problem('control-plane-machine-count', `${count} is even; etcd needs an odd number: 1, 3 or 5`);
  }
  return count;
}

function readMachine(
  reader: InputReader,
  role: 'control-plane' | 'worker',
  count: number,
  kubernetesVersion: Version,
): MachineInputs {
  return {
    count,
    cpuCores: reader.integer(`${role}-machine-cpu-cores`, 1, 256),
    memorySize: reader.quantity(`${role}-machine-memory-size`, 2 ** 30, '1Gi'),
    kernelImage: reader.image(`${role}-machine-kernel-image`, 'smartxworks/capch-kernel-5.15.12'),
    rootfsImage: reader.image(`${role}-machine-rootfs-image`, `smartxworks/capch-rootfs-${kubernetesVersion.text}`),
    rootfsSize: reader.quantity(`${role}-machine-rootfs-size`, 2 ** 30, '1Gi'),
  };
}

function readNetworks(reader: InputReader): Pick<CreateInputs, 'podNetworkCidr' | 'serviceCidr'> {
  const podNetworkCidr = reader.optionalCidr('pod-network-cidr');
  const serviceCidr = reader.optionalCidr('service-cidr');
  if (podNetworkCidr !== undefined && serviceCidr !== undefined && overlaps(podNetworkCidr, serviceCidr)) {
    reader.problem('service-cidr', `${serviceCidr.text} overlaps pod-network-cidr (${podNetworkCidr.text})`);
  }
  return { podNetworkCidr, serviceCidr };
}
