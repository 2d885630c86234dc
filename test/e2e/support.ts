import { find, type Host } from '../host/host.ts';
import { Job, type StepOptions, type StepResult } from '../support/runner.ts';
import { versions } from '../host/modules.ts';

/** The name of the host that the tests of a project share; any other host on the machine is left alone. */
export const hostName = process.env['KNEST_TEST_HOST'] ?? '';

/** The host that setup.ts brought up. */
export function sharedHost(): Host {
  const host = find(hostName);
  if (host === undefined) throw new Error(`the host ${hostName} is not up`);
  return host;
}

/** The Kubernetes version that the test host's machines run. */
export const kubernetesVersion = versions.kubernetes.replace(/^v/, '');

/** What the host's mirror and machines want otherwise than action.yml. */
export function hostInputs(host: Host): Readonly<Record<string, string>> {
  return {
    mirror: host.mirror,
    'checksums-file': host.checksums,
    'kubernetes-version': kubernetesVersion,
    // The last one that can be built from modules alone.
    'cert-manager-version': versions.certManager,
  };
}

/** A job that runs the action in the host's network, with the host's kubeconfig and mirror. */
export function jobOn(host: Host, inputs: Readonly<Record<string, string>>, options: Partial<StepOptions> = {}): Job {
  return new Job({
    wrap: (argv) => host.command(argv),
    ...options,
    inputs: {
      'host-kubeconfig-file': host.kubeconfig,
      ...hostInputs(host),
      // What runs in the place of a hypervisor takes none of it, and a small machine runs many of them.
      ...SMALL_MACHINES,
      ...inputs,
    },
  });
}

/** The least that machines may have: their requests, not what they use, are what fills the test host. */
const SMALL_MACHINES = Object.fromEntries(
  ['control-plane', 'worker'].flatMap((role) => [
    [`${role}-machine-memory-size`, '1Gi'],
    [`${role}-machine-cpu-cores`, '1'],
  ]),
) as Readonly<Record<string, string>>;

/** A later step of a job, which names no host: it has the files and variables that the step before left. */
export function nextStep(
  host: Host,
  before: Job,
  { env }: StepResult,
  inputs: Readonly<Record<string, string>>,
  options: Partial<StepOptions> = {},
): Job {
  return new Job({
    wrap: (argv) => host.command(argv),
    ...options,
    inputs: { ...hostInputs(host), ...inputs },
    env: { RUNNER_TEMP: before.temp, ...env },
  });
}

/** Has the action install what clusters of in-memory machines need, with these inputs besides. */
export async function install(host: Host, besides: Readonly<Record<string, string>> = {}): Promise<void> {
  const inputs = { infrastructure: 'in-memory', namespace: 'install', name: 'install', 'wait-for': 'none', ...besides };
  const job = jobOn(host, inputs);
  const main = await job.main();
  if (main.exitCode !== 0) throw new Error(`nothing could be installed:\n${main.log}`);
  await job.post();
  job.clean();
}

/** Leaves the provider of in-memory machines as a job does that is killed while it installs it. */
export async function cutShort(host: Host): Promise<void> {
  const lease = ['lease', '-n', 'kube-system', 'knest-action-install'];
  const metadata = { name: 'knest-action-install', namespace: 'kube-system' };
  if ((await host.kubectl(['get', ...lease, '--ignore-not-found', '-o', 'name'])) === '') {
    const made = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata };
    await host.kubectl(['create', '-f', '-'], JSON.stringify(made));
  }
  const begun = JSON.stringify({ 'in-memory infrastructure provider': versions.clusterAPI });
  await host.kubectl(['annotate', '--overwrite', ...lease, `knest-action/installing=${begun}`]);
  const deployment = ['deployment', '-n', 'capd-system', 'capd-controller-manager'];
  await host.kubectl(['delete', ...deployment, '--ignore-not-found']);
}

/** How many machines of a cluster there are, as the input `replicas` has it: control planes, then workers. */
export async function replicasOf(host: Host, namespace: string, name: string): Promise<string> {
  const count = async (selector: string): Promise<number> => {
    const names = await host.kubectl(['get', 'machine', '-n', namespace, '-l', selector, '-o', 'name']);
    return names.split('\n').filter((line) => line !== '').length;
  };
  const all = `cluster.x-k8s.io/cluster-name=${name}`;
  const role = 'cluster.x-k8s.io/control-plane';
  return `${await count(`${all},${role}`)}:${await count(`${all},!${role}`)}`;
}

/** What is on the host of a cluster, `kind/name` each: empty once it is gone. */
export async function leftovers(host: Host, namespace: string, name: string): Promise<string[]> {
  return (await objectsIn(host, namespace)).filter((line) => new RegExp(`/(vm-)?${name}(-|$)`).test(line));
}

/** Every object in a namespace of the host but its events, `kind/name` each. */
export async function objectsIn(host: Host, namespace: string): Promise<string[]> {
  const served = await host.kubectl(['api-resources', '--verbs=list', '--namespaced', '-o', 'name']);
  const kinds = served
    .split('\n')
    .filter((kind) => kind !== '' && !/^events(\.|$)|\.metrics\.k8s\.io$/.test(kind))
    .join(',');
  const text = await host.kubectl(['get', kinds, '-n', namespace, '-o', 'name', '--ignore-not-found']);
  return text.split('\n').filter((line) => line !== '');
}

/** The host's volumes for a namespace. One goes by its StorageClass's own hand, a moment after the claim to it. */
export async function volumesFor(host: Host, namespace: string): Promise<string[]> {
  const template = `{range .items[?(@.spec.claimRef.namespace=="${namespace}")]}{.metadata.name}{"\\n"}{end}`;
  const text = await host.kubectl(['get', 'persistentvolumes', '-o', `jsonpath=${template}`]);
  return text.split('\n').filter((line) => line !== '');
}
