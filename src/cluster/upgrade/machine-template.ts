import type { Cluster } from '../../host/api/cluster-api-objects.ts';
import type { KubernetesObject } from '../../host/api/objects.ts';
import { Annotations } from '../identity/identity.ts';
import { shortHash } from '../identity/upgrade-mark.ts';

/** A machine template as far as it is copied. */
interface WithSpec extends KubernetesObject {
  readonly spec?: object;
}

/**
 * The template that takes the place of `current`, with the spec of `changed`: another object, since Cluster API makes no
 * machines anew when a template is edited. Undefined when nothing of it changes. Its name follows from all that tells it
 * from others, so that an upgrade that is repeated makes it once. `part`: the name of what refers to it.
 */
export function templateFor(
  current: KubernetesObject,
  changed: WithSpec,
  part: string,
  version: string,
  cluster: Cluster,
): KubernetesObject | undefined {
  if (JSON.stringify(changed.spec) === JSON.stringify((current as WithSpec).spec)) return undefined;
  const { namespace = '', labels = {}, annotations = {} } = current.metadata;
  const kept = Object.entries(annotations).filter(([key]) => !key.startsWith('kubectl.kubernetes.io/'));
  const { apiVersion, kind, metadata } = cluster;
  return {
    apiVersion: current.apiVersion,
    kind: current.kind,
    metadata: {
      name: `${part}-${version}-${shortHash(changed.spec)}`,
      namespace,
      labels,
      annotations: { ...Object.fromEntries(kept), [Annotations.replaces]: current.metadata.name },
      ownerReferences: [{ apiVersion, kind, name: metadata.name, uid: metadata.uid ?? '' }],
    },
    spec: changed.spec,
  } as KubernetesObject;
}
