import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { run } from '../host/process.ts';

/** A machine of KubeVirt, as far as its cloud-init data knows it. */
export interface Guest {
  readonly name: string;
  readonly namespace: string;
  readonly uuid: string;
  /** The value `userdata` of the Secret that KubeVirt's Cluster API provider makes: the bootstrap data as it is. */
  readonly userData: string;
}

/**
 * The files of the ConfigDrive that KubeVirt gives a machine of its Cluster API provider, by path: upstream's
 * pkg/cloud-init/cloud-init.go, `readCloudInitConfigDriveMetaData` and `GenerateLocalData`. The provider sets no network
 * data, so there is no such file, and the machine asks DHCP.
 */
export function configDriveFiles({ name, namespace, uuid, userData }: Guest): Readonly<Record<string, string>> {
  const metaData = { instance_id: `${name}.${namespace}`, hostname: name, uuid };
  return {
    'openstack/latest/meta_data.json': JSON.stringify(metaData),
    'openstack/latest/user_data': userData,
  };
}

/** Writes a ConfigDrive as an ISO image, with the program and the options that KubeVirt has. */
export async function writeConfigDrive(guest: Guest, file: string): Promise<void> {
  const directory = `${file}.files`;
  try {
    for (const [path, text] of Object.entries(configDriveFiles(guest))) {
      mkdirSync(dirname(join(directory, path)), { recursive: true });
      writeFileSync(join(directory, path), text);
    }
    const options = ['-volid', 'config-2', '-joliet', '-rock', '-partition_cyl_align', 'on'];
    await run('xorrisofs', ['-output', file, ...options, directory]);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
