import { expect, it } from 'vitest';
import { Clusterctl } from '../../../src/install/clusterctl.ts';
import { requiredComponents } from '../../../src/install/components.ts';
import { Downloader } from '../../../src/install/download.ts';
import { install } from '../../../src/install/install.ts';
import { describeInventory } from '../../../src/install/inventory.ts';
import { hostWith } from '../host/fake-host.ts';
import { inventoryWith } from './inventories.ts';
import { versions } from './versions.ts';
import { downloadWorld, fromGithub } from '../../support/downloads.ts';

it('leaves an older Cluster API as it is: nothing is asked of the host, nothing downloaded, nothing run', async () => {
  const components = requiredComponents(versions, 'docker');
  const inventory = inventoryWith(components, 'v1.2.3', 'v1.11.0');
  const { client, received } = await hostWith({});
  const unused = (): never => {
    throw new Error('nothing is to be done');
  };
  const downloader = new Downloader(fromGithub, downloadWorld('/nowhere', unused));
  const world = {
    run: unused,
    env: {},
    directory: '/nowhere',
    withKubeconfig: <T>(work: (file: string) => Promise<T>) => work('/nowhere'),
  };
  const installation = {
    client,
    clusterctl: new Clusterctl(world, downloader, versions.clusterApi, components),
    holder: 'test',
    signal: new AbortController().signal,
    components,
    inventory,
    secondsLeft: () => 60,
  };
  expect(describeInventory(components, inventory)).toMatchObject({
    text: expect.stringContaining('Cluster API v1.11.0') as string,
    isComplete: true,
  });
  expect(await install(installation, { line: unused })).toBe('nothing missing');
  expect(received).toEqual([]);
});
