import { describe, expect, it, onTestFinished } from 'vitest';
import { KnestError } from '../../../src/errors.ts';
import { Clusterctl } from '../../../src/install/clusterctl.ts';
import { requiredComponents } from '../../../src/catalog/components/required-components.ts';
import { Downloader } from '../../../src/install/download.ts';
import { install } from '../../../src/install/install.ts';
import { describeInventory } from '../../../src/install/inventory.ts';
import type { RunProcess } from '../../../src/runner/process.ts';
import { hostWith } from '../host/fake-host.ts';
import { json, refuse, type Handler, type Received } from '../host/server.ts';
import { rejection } from '../rejection.ts';
import { installOn } from './install-on.ts';
import { inventoryWith } from './inventories.ts';
import { versions } from './versions.ts';
import { downloadRuntime, fromGithub } from '../../support/downloads.ts';

it('leaves an older Cluster API unchanged: no request, no download, no program', async () => {
  const components = requiredComponents(versions, 'in-memory');
  const inventory = inventoryWith(components, 'v1.2.3', 'v1.11.0');
  const { client, received } = await hostWith({});
  const unused = (): never => {
    throw new Error('nothing is to be done');
  };
  const downloader = new Downloader(fromGithub, downloadRuntime('/nowhere', unused));
  const runtime = {
    run: unused,
    env: {},
    directory: '/nowhere',
    providerVariables: {},
    warn: unused,
  };
  const installation = {
    client,
    clusterctl: new Clusterctl(runtime, downloader, versions.clusterApi, components),
    withKubeconfig: unused,
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
  expect(await install(installation, { line: unused })).toEqual({ installed: [], result: 'nothing missing' });
  expect(received).toEqual([]);
});

describe('a component that cannot be applied', () => {
  it('stops clusterctl, and the Lease is held until clusterctl has ended', async () => {
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

describe('a timeout', () => {
  it.each<[string, Handler]>([
    ['the pods may not be read', (response) => refuse(response, 403)],
    ['the pods have no problem', (response) => json(response, { items: [] })],
  ])('is reported with the workloads that are not available when %s', async (_what, pods) => {
    const abort = new AbortController();
    const reason = new KnestError({ code: 'KNEST_TIMEOUT', problem: 'timed out after 5m' });
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
      'Deployment capi-system/capi-controller-manager is missing',
    ]) as readonly string[];
    expect(await rejection(ended)).toMatchObject({ code: 'KNEST_TIMEOUT', problem: reason.problem, evidence });
  });
});

it('no rejection is unhandled when cert-manager does not start before the timeout', async () => {
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
    infrastructure: 'in-memory',
    present: 0,
  });
  expect(await rejection(ended)).toMatchObject({ message: 'the time is up' });
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(unhandled).toEqual([]);
});
