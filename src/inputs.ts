import { readCleanup, type CleanupInputs } from './inputs/commands/cleanup.ts';
import { readCreate, type CreateInputs } from './inputs/commands/create.ts';
import { readExisting, type ExistingInputs } from './inputs/commands/existing.ts';
import { readPool, type PoolInputs } from './inputs/commands/pool.ts';
import { readJobStatus, type JobStatus } from './inputs/job-status.ts';
import { readList, type ListInputs } from './inputs/commands/list.ts';
import { InputReader, type GetInput } from './inputs/reading/reader.ts';

export type { AccessInputs, ApiAccess, ReachInputs, RegistryRequest } from './inputs/access.ts';
export type { CleanupInputs } from './inputs/commands/cleanup.ts';
export type { AddonInput, CniInput, ManifestInput } from './inputs/addons.ts';
export { inputsIn } from './inputs/reading/reader.ts';
export { MAX_NAME_LENGTH } from './inputs/common.ts';
export type { ChosenInputs, CreateInputs, WaitFor } from './inputs/commands/create.ts';
export type { ChecksumPolicy, DownloadInputs } from './inputs/downloads.ts';
export type { JobStatus } from './inputs/job-status.ts';
export type { DeleteInputs, KubeconfigInputs, ScaleInputs, UpgradeInputs } from './inputs/commands/existing.ts';
export type { HostInputs } from './inputs/host.ts';
export type { ListInputs } from './inputs/commands/list.ts';
export { choiceOn } from './inputs/machine-images.ts';
export type { MachineInputs } from './inputs/machines.ts';
export type { NetworkInputs } from './inputs/networks.ts';
export type { PoolInputs } from './inputs/commands/pool.ts';
export type { HostClusterCni, PersistentInputs } from './inputs/persistent.ts';
export type { TemplateSource } from './inputs/template.ts';
export type { WebFile } from './inputs/web-file.ts';

/** Every input, read once; a member for each command. */
export type Inputs = CreateInputs | ExistingInputs | ListInputs | CleanupInputs | PoolInputs;

/** Every command there is. */
export const COMMANDS = ['create', 'delete', 'scale', 'upgrade', 'kubeconfig', 'list', 'cleanup', 'pool'] as const;

/**
 * Reads and checks every input of the command; the defaults are those of action.yml.
 * Throws KNEST_INPUT with all problems at once.
 */
export function readInputs(get: GetInput): Inputs {
  const reader = new InputReader(get);
  const command = reader.choice('command', COMMANDS);
  const inputs = readFor(command, reader);
  reader.finish();
  return inputs;
}

function readFor(command: Inputs['command'], reader: InputReader): Inputs {
  switch (command) {
    case 'create':
      return readCreate(reader);
    case 'list':
      return readList(reader);
    case 'cleanup':
      return readCleanup(reader);
    case 'pool':
      return readPool(reader);
    default:
      return readExisting(reader, command);
  }
}

/** How the job ended, for the post step, which reads no other input. Undefined where nobody says. */
export function readOutcome(get: GetInput): JobStatus | undefined {
  return readJobStatus(new InputReader(get));
}
