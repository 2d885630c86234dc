import { compareMinor, type Version } from '../values/version.ts';

/**
 * The flags of the kubelet that a minor version of Kubernetes 1 has no more: it does not start with them. Source:
 * cmd/kubelet/app/options and pkg/kubelet/config/flags.go of the first release of each minor version from 1.24 to 1.36.
 */
const REMOVED: readonly (readonly [minor: number, ...flags: string[]])[] = [
  [25, 'experimental-kernel-memcg-notification'],
  [27, 'container-runtime', 'master-service-namespace'],
  [30, 'azure-container-registry-config'],
  [31, 'iptables-drop-bit', 'iptables-masquerade-bit', 'keep-terminated-pod-volumes'],
  [34, 'cloud-config', 'register-schedulable'],
  [35, 'pod-infra-container-image'],
];

/** The minor version that has this flag of the kubelet no more, for example `1.35`, if it is not newer than `version`. */
export function removedIn(flag: string, version: Version): string | undefined {
  const minor = REMOVED.find(([, ...flags]) => flags.includes(flag))?.[0];
  return minor === undefined || compareMinor(version, { major: 1, minor }) < 0 ? undefined : `1.${minor}`;
}
