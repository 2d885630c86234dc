import type { KubernetesObject } from '../host/api/objects.ts';

/** What of a pod needs more than the "restricted" and "baseline" Pod Security Standards allow. */
interface PodSpec {
  readonly hostNetwork?: boolean;
  readonly hostPID?: boolean;
  readonly hostIPC?: boolean;
  readonly volumes?: readonly { readonly hostPath?: unknown }[];
  readonly containers?: readonly Container[];
  readonly initContainers?: readonly Container[];
}

interface Container {
  readonly securityContext?: {
    readonly privileged?: boolean;
    readonly capabilities?: { readonly add?: readonly string[] };
  };
}

/** Namespaces of a manifest in which it runs pods that a host with Pod Security only admits as privileged. */
export function privilegedNamespaces(objects: readonly KubernetesObject[]): ReadonlySet<string> {
  return new Set(
    objects.flatMap((object) => {
      const { template } = (object as { spec?: { template?: { spec?: PodSpec } } }).spec ?? {};
      const { namespace } = object.metadata;
      return namespace !== undefined && template?.spec !== undefined && isPrivileged(template.spec) ? [namespace] : [];
    }),
  );
}

function isPrivileged({ hostNetwork, hostPID, hostIPC, volumes = [], containers = [], initContainers = [] }: PodSpec) {
  const isHost =
    [hostNetwork, hostPID, hostIPC].includes(true) || volumes.some(({ hostPath }) => hostPath !== undefined);
  return isHost || [...containers, ...initContainers].some(needsMore);
}

function needsMore({ securityContext }: Container): boolean {
  const added = securityContext?.capabilities?.add ?? [];
  return securityContext?.privileged === true || added.some((capability) => capability !== 'NET_BIND_SERVICE');
}
