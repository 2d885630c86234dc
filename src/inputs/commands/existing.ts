import { parseReplicas, type Replicas } from '../../values/replicas.ts';
import { readAccess, readReach, type AccessInputs, type ReachInputs } from '../access.ts';
import { MAX_NAME_LENGTH, readCommon, type CommonInputs } from '../common.ts';
import type { ImageInputs } from '../machine-images.ts';
import { readImages } from '../machines.ts';
import type { InputReader } from '../reading/reader.ts';

/** The inputs of `command: delete`. */
export interface DeleteInputs extends CommonInputs {
  readonly command: 'delete';
  readonly name: string;
}

/** The inputs of `command: scale`. */
export interface ScaleInputs extends CommonInputs, ReachInputs {
  readonly command: 'scale';
  readonly name: string;
  readonly replicas: Replicas;
}

/** The inputs of `command: upgrade`. */
export interface UpgradeInputs extends CommonInputs, ImageInputs, ReachInputs {
  readonly command: 'upgrade';
  readonly name: string;
}

/** The inputs of `command: kubeconfig`. */
export interface KubeconfigInputs extends CommonInputs, AccessInputs {
  readonly command: 'kubeconfig';
  readonly name: string;
  /** Whether the job gets a way to the registry of the cluster. */
  readonly registry: boolean;
}

/** Stands for replicas that cannot be read: the reading ends with a problem then. */
const NO_REPLICAS: Replicas = { controlPlane: undefined, workers: undefined, machineDeployment: undefined };

/** The inputs of a command for an existing cluster. */
export type ExistingInputs = DeleteInputs | ScaleInputs | UpgradeInputs | KubeconfigInputs;

/** Reads the inputs of a command for a cluster that is there already. */
export function readExisting(reader: InputReader, command: ExistingInputs['command']): ExistingInputs {
  const cluster = { name: readGivenName(reader, command), ...readCommon(reader) };
  switch (command) {
    case 'delete':
      return { command, ...cluster };
    case 'scale':
      return { command, ...cluster, replicas: readReplicas(reader), ...readReach(reader) };
    case 'upgrade':
      return { command, ...cluster, ...readUpgrade(reader) };
    case 'kubeconfig':
      return { command, ...cluster, ...readAccess(reader), registry: reader.boolean('registry') };
  }
}

/** The name of a cluster that is there already. */
function readGivenName(reader: InputReader, command: string): string {
  // Not create's rule: what others made under another name can still be deleted.
  const name = reader.optionalName('name', { maxLength: MAX_NAME_LENGTH, first: 'letter or digit' });
  if (name === undefined) reader.problem('name', `is missing; ${command} needs the name of a cluster`);
  return name ?? '';
}

/** Reads what `upgrade` has beside the cluster. */
function readUpgrade(reader: InputReader): Omit<UpgradeInputs, keyof CommonInputs | 'command' | 'name'> {
  const askedVersion = reader.kubernetesVersion('kubernetes-version');
  if (askedVersion.kind === 'default') {
    reader.problem('kubernetes-version', 'is missing; upgrade needs the version to upgrade to, for example 1.34');
  }
  return {
    askedVersion,
    nodeImage: reader.optionalImage('node-image'),
    controlPlane: { ...readImages(reader, 'control-plane'), rootfsSize: undefined },
    workers: { ...readImages(reader, 'worker'), rootfsSize: undefined },
    ...readReach(reader),
  };
}

function readReplicas(reader: InputReader): Replicas {
  const text = reader.required('replicas', 'for example 3:2 (CP:WORKER), 3: or :2');
  const replicas = text === '' ? NO_REPLICAS : parseReplicas(text);
  if (!('problem' in replicas)) return replicas;
  reader.problem('replicas', replicas.problem);
  return NO_REPLICAS;
}
