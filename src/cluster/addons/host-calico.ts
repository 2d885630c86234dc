import { KnestError } from '../../errors.ts';
import type { FelixDrops } from '../../host/calico.ts';
import type { CniInput } from '../../inputs.ts';
import { CNI_RELEASES } from '../../catalog/cni-releases.ts';

/**
 * Checks that the packets between machines pass the host's Calico. Throws KNEST_HOST_NETWORK when it drops those of a
 * known CNI; of one that is not known, returns what would be dropped. Undefined when there is nothing to say.
 */
export function checkEncapsulation(cni: CniInput, drops: FelixDrops | undefined): string | undefined {
  if (drops === undefined) return undefined;
  const { vxlanPort, ipip } = drops;
  if (cni.kind === 'known') {
    const { title, vxlanPort: wanted } = CNI_RELEASES[cni.name];
    if (vxlanPort !== wanted) return undefined;
    throw new KnestError({
      code: 'KNEST_HOST_NETWORK',
      problem: `the host's Calico drops the VXLAN packets (UDP port ${wanted}) that ${title} sends between machines`,
      next: `allow them: ${patchCommand(drops, { allowVXLANPacketsFromWorkloads: true })}`,
    });
  }
  const kinds = [...(vxlanPort === undefined ? [] : [`VXLAN on UDP port ${vxlanPort}`]), ...(ipip ? ['IPIP'] : [])];
  if (kinds.length === 0) return undefined;
  const change = {
    ...(vxlanPort !== undefined && { allowVXLANPacketsFromWorkloads: true }),
    ...(ipip && { allowIPIPPacketsFromWorkloads: true }),
  };
  return `the host's Calico drops ${kinds.join(' and ')} between machines; if the CNI needs them: ${patchCommand(drops, change)}`;
}

/** The command that changes the configuration of the host's Calico. */
function patchCommand({ resource }: FelixDrops, spec: object): string {
  return `kubectl patch ${resource} --type=merge --patch '${JSON.stringify({ spec })}'`;
}
