import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Infrastructure } from '../../../src/catalog/infrastructures.ts';
import { Clusterctl } from '../../../src/install/clusterctl.ts';
import { type ReleaseAsset } from '../../../src/catalog/release-asset.ts';
import { requiredComponents } from '../../../src/catalog/components/required-components.ts';
import { Downloader } from '../../../src/install/download.ts';
import { install, type Installed } from '../../../src/install/install.ts';
import type { Inventory } from '../../../src/install/inventory.ts';
import type { RunProcess } from '../../../src/runner/process.ts';
import { clientOf, json, refuse, type Handler, type Received } from '../host/server.ts';
import { inventoryWith } from './inventories.ts';
import { versions } from './versions.ts';

/** Notes its downloads instead of making them. */
class Offline extends Downloader {
  override file(_asset: ReleaseAsset, path: string): Promise<string> {
    return Promise.resolve(path);
  }
  override program(_asset: ReleaseAsset, name: string): Promise<string> {
    return Promise.resolve(name);
  }
}

/** How the installation differs. */
export interface Given {
  readonly signal?: AbortSignal;
  readonly infrastructure?: Infrastructure;
  /** How many of the components run already; cert-manager is the first. */
  readonly present?: number;
  /** What the host has, made of that. */
  readonly host?: (inventory: Inventory) => Inventory;
  /** What the first look at the host saw, made of what it has. */
  readonly look?: (inventory: Inventory) => Inventory;
}

/** What is installed on a host with cert-manager, and how clusterctl runs there. */
export async function installOn(
  handler: Handler,
  run: RunProcess,
  {
    signal = new AbortController().signal,
    infrastructure = 'virtink',
    present = 1,
    host = (all) => all,
    look = (all) => all,
  }: Given = {},
): Promise<{ readonly ended: Promise<Installed>; readonly received: readonly Received[] }> {
  const directory = mkdtempSync(join(tmpdir(), 'knest-install-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const components = requiredComponents(versions, infrastructure);
  const inventory = host(inventoryWith(components.slice(0, present)));
  const noted = JSON.stringify(Object.fromEntries(inventory.begun));
  let lease: object | undefined =
    inventory.begun.size === 0 ? undefined : { metadata: { annotations: { 'knest-action/installing': noted } } };
  const { client, received } = await clientOf((response, number, request) => {
    const { method, path, body } = request;
    if (path.includes('/leases') && method === 'GET' && lease === undefined) refuse(response, 404);
    else if (path.includes('/leases') && method === 'GET') json(response, lease);
    else if (path.includes('/leases')) json(response, (lease = JSON.parse(body) as object));
    else if (path.startsWith('/apis/apps/v1/deployments?') && !path.includes('watch=true'))
      json(response, { metadata: { resourceVersion: '1' }, items: inventory.deployments });
    else if (path.includes('watch=true')) response.writeHead(200).flushHeaders();
    else if (method === 'GET' && path.includes('customresourcedefinitions'))
      json(response, { items: [...inventory.definitions.keys()].map((name) => ({ metadata: { name } })) });
    else handler(response, number, request);
  });
  const unused = {
    mirror: undefined,
    mirrorLogin: undefined,
    checksumPolicy: 'require',
    checksumsFile: undefined,
    githubToken: undefined,
  } as const;
  const kubeconfig = join(directory, 'host');
  writeFileSync(kubeconfig, 'kind: Config\n');
  const runtime = {
    run,
    env: {},
    directory,
    providerVariables: {},
    warn: () => undefined,
  };
  const clusterctl = new Clusterctl(
    runtime,
    new Offline(unused, { env: {}, directory, signal, warn: () => undefined }),
    versions.clusterApi,
    components,
  );
  for (const component of components) {
    const file = clusterctl.file(component, component.manifest);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: virtink, namespace: virtink-system}\n');
  }
  const installation = {
    client: client.until(signal),
    clusterctl,
    withKubeconfig: <T>(work: (file: string) => Promise<T>) => work(kubeconfig),
    holder: 'test',
    signal,
    components,
    inventory: look(inventory),
    secondsLeft: () => 60,
  };
  return { ended: install(installation, { line: () => undefined }), received };
}
