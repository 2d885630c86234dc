import { expect, it } from 'vitest';
import { configDriveFiles } from '../../image/config-drive.ts';

it('the ConfigDrive of the image test has the files that KubeVirt writes for a machine of its provider', () => {
  const userData = '## template: jinja\n#cloud-config\n';
  const uuid = '5d307ca9-b3ef-428c-8861-06e72d69f223';
  const { 'openstack/latest/meta_data.json': metaData, ...others } = configDriveFiles({
    ...{ name: 'pr-1-cp-x7k2p', namespace: 'knest', uuid, userData },
  });
  // The user data as the bootstrap provider made it, byte for byte, and no network data.
  expect(others).toEqual({ 'openstack/latest/user_data': userData });
  expect(JSON.parse(metaData ?? '')).toEqual({ instance_id: 'pr-1-cp-x7k2p.knest', hostname: 'pr-1-cp-x7k2p', uuid });
});
