import { createHash } from 'node:crypto';
import type { Cluster } from '../../host/api/cluster-api-objects.ts';
import type { Variables } from '../../values/variables.ts';
import { Annotations } from './identity.ts';

/** What a cluster is upgraded to, in an annotation of its Cluster until it is done. */
export interface UpgradeTarget {
  /** With a leading `v`. */
  readonly version: string;
  /** A hash of the images: another image of the same version is another target. */
  readonly images: string;
}

/** The target of these images. `version` has no leading `v`. */
export function targetOf(version: string, images: Variables): UpgradeTarget {
  return { version: `v${version}`, images: shortHash(images) };
}

/** Eight characters that tell values apart which differ as JSON. */
export function shortHash(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 8);
}

/** The value of the annotation. */
export function markOf({ version, images }: UpgradeTarget): string {
  return `${version}/${images}`;
}

/** The target of the upgrade that a cluster is in, or that was left unfinished; undefined when there is none. */
export function upgradeOf({ metadata }: Cluster): UpgradeTarget | undefined {
  const [version = '', images = ''] = (metadata.annotations?.[Annotations.upgrade] ?? '').split('/');
  return version === '' ? undefined : { version, images };
}
