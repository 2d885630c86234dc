import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { KnestError } from '../../../src/errors.ts';
import { Clusterctl } from '../../../src/install/clusterctl.ts';
import { requiredComponents, type ReleaseAsset } from '../../../src/install/components.ts';
import { Downloader } from '../../../src/install/download.ts';
import { install } from '../../../src/install/install.ts';
import { describeInventory, type Inventory } from '../../../src/install/inventory.ts';
import type { Infrastructure } from '../../../src/inputs.ts';
import type { RunProcess } from '../../../src/world.ts';
import { hostWith } from '../host/fake-host.ts';
import { clientOf, json, refuse, type Handler, type Received } from '../host/server.ts';
import { rejection } from '../rejection.ts';
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
    providerVariables: {},
    warn: unused,
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

/** Notes its downloads instead of making them. */
class Offline extends Downloader {
  override file(_asset: ReleaseAsset, path: string): Promise<string> {
    return Promise.resolve(path);
  }
  override program(_asset: ReleaseAsset, name: string): Promise<string> {
    return Promise.resolve(name);
  }
}

interface Given {
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
async function installOn(
  handler: Handler,
  run: RunProcess,
  {
    signal = new AbortController().signal,
    infrastructure = 'virtink',
    present = 1,
    host = (all) => all,
    look = (all) => all,
  }: Given = {},
): Promise<{ readonly ended: Promise<string>; readonly received: readonly Received[] }> {
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
      json(response, { items: [...inventory.definitions].map((name) => ({ metadata: { name } })) });
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
  const world = {
    run,
    env: {},
    directory,
    providerVariables: {},
    warn: () => undefined,
    withKubeconfig: <T>(work: (file: string) => Promise<T>) => work(kubeconfig),
  };
  const clusterctl = new Clusterctl(
    world,
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
    holder: 'test',
    signal,
    components,
    inventory: look(inventory),
    secondsLeft: () => 60,
  };
  return { ended: install(installation, { line: () => undefined }), received };
}

describe('a component that cannot be applied', () => {
  it('ends clusterctl, and the Lease is held until that has ended', async () => {
    const events: string[] = [];
    const started = Promise.withResolvers<undefined>();
    const run: RunProcess = async (_program, args, _env, stop) => {
      events.push(`clusterctl ${args[0] ?? ''}`);
      started.resolve(undefined);
      await new Promise((resolve) => stop?.addEventListener('abort', resolve, { once: true }));
      // A program takes a while to end.
      await new Promise((resolve) => setTimeout(resolve, 200));
      events.push('clusterctl has ended');
      throw stop?.reason;
    };
    const { ended, received } = await installOn((response, _number, { method }) => {
      if (method === 'PATCH') void started.promise.then(() => refuse(response, 422));
      else json(response, { items: [] });
    }, run);
    const release = ({ path, body }: Received): boolean =>
      path.includes('/leases') && body.includes('"holderIdentity":""');
    const released = received.some.bind(received, release);
    const failure = await rejection(ended.finally(() => events.push(released() ? 'released' : 'not released')));
    expect(failure).toMatchObject({ code: 'KNEST_INSTALL', problem: expect.stringContaining('422') as string });
    expect(events).toEqual(['clusterctl init', 'clusterctl has ended', 'released']);
  });
});

describe('a time-out', () => {
  it.each<[string, Handler]>([
    ['the pods may not be looked at', (response) => refuse(response, 403)],
    ['the pods are fine', (response) => json(response, { items: [] })],
  ])('stays a time-out that names what is not available when %s', async (_what, pods) => {
    const abort = new AbortController();
    const reason = new KnestError({ code: 'KNEST_TIMEOUT', problem: 'the time is up after 5m' });
    const run: RunProcess = async (_program, _args, _env, stop) => {
      setTimeout(() => abort.abort(reason), 100);
      await new Promise((resolve) => stop?.addEventListener('abort', resolve, { once: true }));
      throw stop?.reason;
    };
    const handler: Handler = (response, number, request) => {
      if (/\/pods\?/.test(request.path)) pods(response, number, request);
      else json(response, { items: [] });
    };
    const { ended } = await installOn(handler, run, { signal: abort.signal });
    const evidence = expect.arrayContaining([
      'Deployment capi-system/capi-controller-manager is not there',
    ]) as readonly string[];
    expect(await rejection(ended)).toMatchObject({ code: 'KNEST_TIMEOUT', problem: reason.problem, evidence });
  });
});

it('nothing is left unhandled when cert-manager does not start and the time is up', async () => {
  const unhandled: unknown[] = [];
  const note = (thrown: unknown): number => unhandled.push(thrown);
  process.on('unhandledRejection', note);
  onTestFinished(() => void process.off('unhandledRejection', note));
  const abort = new AbortController();
  const run: RunProcess = async (_program, _args, _env, stop) => {
    setTimeout(() => abort.abort(new Error('the time is up')), 100);
    await new Promise((resolve) => stop?.addEventListener('abort', resolve, { once: true }));
    throw stop?.reason;
  };
  const { ended } = await installOn((response) => json(response, { items: [] }), run, {
    signal: abort.signal,
    infrastructure: 'docker',
    present: 0,
  });
  expect(await rejection(ended)).toMatchObject({ message: 'the time is up' });
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(unhandled).toEqual([]);
});

describe('what is installed', () => {
  const writes = (received: readonly Received[]): readonly Received[] =>
    received.filter(({ method }) => method !== 'GET');
  const never: RunProcess = async () => Promise.reject(new Error('no program is run'));
  const handler: Handler = (response) => json(response, { items: [] });
  const without =
    (name: string) =>
    (inventory: Inventory): Inventory => ({
      ...inventory,
      deployments: inventory.deployments.filter(({ metadata }) => metadata.name !== name),
    });
  /** Notes the command lines of programs, and runs none: installing is over once one is asked for. */
  function notedUntil(last: string): {
    readonly lines: string[];
    readonly run: RunProcess;
    readonly signal: AbortSignal;
  } {
    const [lines, over] = [[] as string[], new AbortController()];
    const run: RunProcess = async (_program, args) => {
      lines.push(args.join(' '));
      if (lines.at(-1)?.includes(last) === true) over.abort(new Error('seen enough'));
      return Promise.resolve({ exitCode: 0, stdout: '', stderr: '' });
    };
    return { lines, run, signal: over.signal };
  }

  it('is waited for while it does not run, and never applied again', async () => {
    const down = { type: 'Available', status: 'False', message: 'no replicas' } as const;
    const { ended, received } = await installOn(handler, never, {
      infrastructure: 'docker',
      present: 5,
      look: (inventory) => ({
        ...inventory,
        deployments: inventory.deployments.map((one) => ({ ...one, status: { conditions: [down] } })),
      }),
    });
    expect(await ended).toBe('nothing missing');
    expect(received.some(({ path }) => path.startsWith('/apis/apps/v1/deployments?'))).toBe(true);
    expect(writes(received)).toEqual([]);
  });

  it('is refused when others left it there by half', async () => {
    const { ended, received } = await installOn(handler, never, {
      infrastructure: 'docker',
      host: without('cert-manager-webhook'),
    });
    expect(await rejection(ended)).toMatchObject({
      code: 'KNEST_INSTALL',
      problem: 'cert-manager is on this host only by half, and this action did not begin to install it',
      evidence: expect.arrayContaining(['Deployment cert-manager/cert-manager-webhook is not there']) as string[],
    });
    expect(writes(received)).toEqual([]);
  });

  it('is completed when this action began it, and noted before that', async () => {
    const { lines, run, signal } = notedUntil('generate provider');
    const begun = new Map([['Cluster API', 'v1.12.1']]);
    const { ended, received } = await installOn(handler, run, {
      infrastructure: 'docker',
      present: 5,
      signal,
      host: (inventory) => ({ ...without('capi-controller-manager')(inventory), begun }),
    });
    await rejection(ended);
    expect(lines).toEqual([expect.stringContaining('generate provider --core cluster-api:v1.12.1')]);
    const [first] = writes(received).filter(({ body }) => body.includes('knest-action/installing'));
    expect(first?.body).toContain(JSON.stringify(JSON.stringify({ 'Cluster API': 'v1.12.1' })));
  });

  it('is no reason to run clusterctl init beside a Cluster API that it has no record of', async () => {
    const { lines, run, signal } = notedUntil('--infrastructure');
    const { ended } = await installOn(handler, run, {
      infrastructure: 'docker',
      present: 4,
      signal,
      look: (all) => ({ ...all, providers: [] }),
    });
    await rejection(ended);
    expect(lines).toEqual([expect.stringContaining('generate provider --infrastructure docker:')]);
  });
});
