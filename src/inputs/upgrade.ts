import { readAccess, type AccessInputs } from './access.ts';
import type { CommonInputs } from './common.ts';
import type { ImageInputs } from './machine-images.ts';
import { readImages } from './machines.ts';
import type { InputReader } from './reading/reader.ts';

/** The inputs of `command: upgrade`. */
export interface UpgradeInputs extends CommonInputs, ImageInputs, Omit<AccessInputs, 'setKubeconfig'> {
  readonly command: 'upgrade';
  readonly name: string;
}

/** Reads what `upgrade` has beside the cluster. */
export function readUpgrade(reader: InputReader): Omit<UpgradeInputs, keyof CommonInputs | 'command' | 'name'> {
  const askedVersion = reader.kubernetesVersion('kubernetes-version');
  if (askedVersion.kind === 'default') {
    reader.problem('kubernetes-version', 'is missing; upgrade needs the version to upgrade to, for example 1.34');
  }
  const { apiAccess, apiHost, relayImage } = readAccess(reader);
  return {
    askedVersion,
    nodeImage: reader.optionalImage('node-image'),
    controlPlane: { ...readImages(reader, 'control-plane'), rootfsSize: undefined },
    workers: { ...readImages(reader, 'worker'), rootfsSize: undefined },
    apiAccess,
    apiHost,
    relayImage,
  };
}
