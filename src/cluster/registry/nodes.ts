import { KnestError } from '../../errors.ts';
import type { KubernetesObject } from '../../host/api/objects.ts';
import { withBrackets } from '../../values/https-address.ts';
import { hostsFile, HOSTS_DIRECTORY, nodeScript, type NodeRegistry } from './node-script.ts';
import { NODES_PORT } from './registry-config.ts';

/** Where the script is on a node. */
const SCRIPT = '/etc/knest-action/registry.sh';

/** What kubeadm's provider does to a machine, in v1beta1 and v1beta2 alike. */
interface KubeadmSpec {
  readonly files?: readonly object[];
  readonly preKubeadmCommands?: readonly string[];
}

/** The objects that have it, as far as they are read. */
interface Bootstrapped extends KubernetesObject {
  readonly spec?: {
    readonly kubeadmConfigSpec?: KubeadmSpec;
    readonly template?: {
      readonly spec?: KubeadmSpec & { readonly bootstrap?: { readonly configRef?: { readonly kind?: string } } };
    };
    readonly controlPlaneRef?: { readonly kind?: string };
  };
}

/** Checks that kubeadm sets up the machines of a cluster, which alone can find a registry. Throws KNEST_INPUT. */
export function checkKubeadm(cluster: KubernetesObject, others: readonly KubernetesObject[]): void {
  const { spec }: Bootstrapped = cluster;
  const workers = others.filter(({ kind }) => kind === 'MachineDeployment' || kind === 'MachinePool');
  const kinds = [
    ['KubeadmControlPlane', spec?.controlPlaneRef?.kind ?? 'a ClusterClass'],
    ...workers.map(
      ({ spec }: Bootstrapped) =>
        ['KubeadmConfigTemplate', spec?.template?.spec?.bootstrap?.configRef?.kind ?? 'something else'] as const,
    ),
  ];
  const other = kinds.find(([wanted, kind]) => kind !== wanted);
  if (other === undefined && others.some(({ kind }) => kind === 'KubeadmControlPlane')) return;
  const [wanted = '', kind = ''] = other ?? ['KubeadmControlPlane', 'one that is not in the template'];
  throw new KnestError({
    code: 'KNEST_INPUT',
    problem: `registry: true needs machines that kubeadm sets up: the template has ${kind}, not ${wanted}`,
    next: 'leave registry out, or use a template with a KubeadmControlPlane and KubeadmConfigTemplates',
  });
}

/**
 * The objects of a cluster whose nodes pull the images of localhost from the registry: each with two files and a command
 * before kubeadm, the last one, so that it judges what the commands of the template made of containerd. A command that
 * fails does not keep kubeadm from running: this one ends the script that they are all part of.
 */
export function withRegistry(others: readonly KubernetesObject[], registry: NodeRegistry): readonly KubernetesObject[] {
  const { address, localPort } = registry;
  const file = (path: string, permissions: string, content: string): object => ({
    path,
    owner: 'root:root',
    permissions,
    content,
  });
  const url = `http://${withBrackets(address)}:${NODES_PORT}`;
  const files = [
    file(`${HOSTS_DIRECTORY}/localhost:${localPort}/hosts.toml`, '0644', hostsFile(url)),
    file(SCRIPT, '0755', nodeScript(registry)),
  ];
  const added = <S extends KubeadmSpec>(spec: S): S => ({
    ...spec,
    files: [...(spec.files ?? []), ...files],
    preKubeadmCommands: [...(spec.preKubeadmCommands ?? []), `sh ${SCRIPT} || exit 1`],
  });
  return others.map((object) => {
    const { kind, spec }: Bootstrapped = object;
    if (kind === 'KubeadmControlPlane')
      return { ...object, spec: { ...spec, kubeadmConfigSpec: added(spec?.kubeadmConfigSpec ?? {}) } };
    if (kind !== 'KubeadmConfigTemplate') return object;
    const { template } = spec ?? {};
    return { ...object, spec: { ...spec, template: { ...template, spec: added(template?.spec ?? {}) } } };
  });
}
