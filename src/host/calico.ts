import type { KubernetesClient } from './api/client.ts';
import { groupOf, Kinds } from './api/kinds.ts';
import { unlessForbidden } from './api/api-error.ts';

/** What Calico's Felix on the host drops when a machine sends it. */
export interface FelixDrops {
  /** The UDP port whose packets it takes for VXLAN and drops; undefined when it lets them through. */
  readonly vxlanPort: number | undefined;
  readonly ipip: boolean;
  /** The resource that decides it, as kubectl wants it. */
  readonly resource: string;
}

/** Felix' own default. Source: calico v3.31 felix/config/config_params.go. */
const VXLAN_PORT = 4789;

/**
 * Reads which encapsulated packets the host's Calico drops when pods send them, as machines of a nested cluster do: all
 * of them, unless its FelixConfiguration says otherwise. Undefined when the host has no Calico, or does not show it.
 */
export async function felixDrops(client: KubernetesClient): Promise<FelixDrops | undefined> {
  for (const kind of [Kinds.felixConfiguration, Kinds.felixConfigurationV3]) {
    const configurations = await unlessForbidden(client.list(kind), []);
    // calico-node makes this one when it starts; others are for single nodes.
    const spec = configurations.find(({ metadata }) => metadata.name === 'default')?.spec;
    if (spec === undefined) continue;
    return {
      vxlanPort: spec.allowVXLANPacketsFromWorkloads === true ? undefined : (spec.vxlanPort ?? VXLAN_PORT),
      ipip: spec.allowIPIPPacketsFromWorkloads !== true,
      resource: `${kind.plural}.${groupOf(kind)} default`,
    };
  }
  return undefined;
}
