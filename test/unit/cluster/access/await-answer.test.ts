import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { awaitAnswer, firstToAnswer } from '../../../../src/cluster/access/await-answer.ts';
import type { Kubeconfig } from '../../../../src/cluster/access/nested-kubeconfig.ts';
import { SET_UP_BY_KUBEADM } from '../../../../src/cluster/access/probe.ts';
import type { Route } from '../../../../src/cluster/access/routes.ts';
import { KnestError } from '../../../../src/errors.ts';
import { pause } from '../../../../src/retry.ts';
import { clientOf, json, refuse, serve } from '../../host/server.ts';
import { rejection } from '../../rejection.ts';
import { tokenKubeconfig } from './kubeconfigs.ts';

const nowhere = tokenKubeconfig('https://127.0.0.1:1');
const handle = { name: 'pr', namespace: 'knest' };
const auto = { apiAccess: 'auto', apiHost: '127.0.0.1' } as const;
const forbidden = new KnestError({ code: 'KNEST_PERMISSION', problem: 'no tunnel' });
const noTunnel = async (): Promise<never> => Promise.reject(forbidden);
const quick = { silence: 0, openAgain: 20 };
const runtime = (openTunnel: () => Promise<string> = noTunnel) => ({
  env: {},
  signal: new AbortController().signal,
  onNote: () => undefined,
  openTunnel,
});

describe('awaitAnswer', () => {
  it('asks until the API server answers and has what was asked for', async () => {
    const { client } = await clientOf((response) => refuse(response, 404));
    const asked: string[] = [];
    const nested = await serve((response, number, { path }) => {
      asked.push(path);
      if (number === 0) refuse(response, 500);
      else if (path.endsWith('/kubeadm-config') && number < 4) refuse(response, 404);
      else json(response, { metadata: { name: 'any' } });
    });
    const there = { ...nowhere, server: nested.url };
    const found = await awaitAnswer(client, handle, there, auto, SET_UP_BY_KUBEADM, runtime());
    expect(found).toMatchObject({ route: { kind: 'cluster-ip', server: nested.url } });
    const [config, account] = SET_UP_BY_KUBEADM;
    expect(asked).toEqual(['/readyz', '/readyz', config, '/readyz', config, account]);
  });

  it('takes an API server without health endpoints for one that is there, once it has its namespaces', async () => {
    const { client } = await clientOf((response) => refuse(response, 404));
    const asked: string[] = [];
    const nested = await serve((response, number, { path }) => {
      asked.push(path);
      if (path === '/readyz' || number < 3) refuse(response, 404);
      else json(response, { metadata: { name: 'kube-system' } });
    });
    await awaitAnswer(client, handle, { ...nowhere, server: nested.url }, auto, SET_UP_BY_KUBEADM, runtime());
    expect(asked).toEqual(['/readyz', '/api/v1/namespaces/kube-system', '/readyz', '/api/v1/namespaces/kube-system']);
  });

  it('asks the host once for its Service, however long the answer takes', async () => {
    const { client, received } = await clientOf((response) =>
      json(response, { metadata: { name: 'pr' }, spec: { type: 'ClusterIP' } }),
    );
    const nested = await serve((response, number) => {
      if (number < 5) refuse(response, 500);
      else json(response, {});
    });
    await awaitAnswer(client, handle, { ...nowhere, server: nested.url }, auto, [], runtime());
    expect(received.map(({ path }) => path.split('/').pop())).toEqual(['pr', 'pr']);
  });

  it('never gives up before its signal aborts, also where no route is wanted', async () => {
    const { client } = await clientOf((response) => refuse(response, 404));
    const reason = new Error('the control plane is there');
    for (const apiAccess of ['auto', 'load-balancer', 'tunnel'] as const) {
      const ended = new AbortController();
      const choice = { apiAccess, apiHost: undefined };
      const within = { ...runtime(() => Promise.resolve('https://127.0.0.1:1')), signal: ended.signal };
      const asked = rejection(awaitAnswer(client, handle, nowhere, choice, [], within));
      setTimeout(() => ended.abort(reason), 100);
      expect(await asked).toBe(reason);
    }
  });
});

describe('awaitAnswer through a tunnel', () => {
  /** An address at which nothing answers, as one to which no way leads. */
  let silent: Kubeconfig;
  const sockets = new Set<Socket>();
  const server = createServer((socket) => sockets.add(socket));
  beforeAll(async () => {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    silent = { ...nowhere, server: `https://127.0.0.1:${(server.address() as AddressInfo).port}` };
  });
  afterAll(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  /** What is found where the nested API server answers on the far side of a tunnel alone. */
  async function find(
    kubeconfig: Kubeconfig,
    apiAccess: 'auto' | 'tunnel' | 'cluster-ip',
    silence: number,
    { open, limit = 20_000 }: { readonly open?: () => Promise<string>; readonly limit?: number } = {},
  ): Promise<{ readonly found: unknown; readonly opened: number }> {
    const { client } = await clientOf((response) => refuse(response, 404));
    const nested = await serve((response) => response.end('ok'));
    let opened = 0;
    const given = runtime(async () => {
      opened += 1;
      return open === undefined ? nested.url : open();
    });
    const choice = { apiAccess, apiHost: undefined };
    const within = { ...given, signal: AbortSignal.timeout(limit) };
    const found = await awaitAnswer(client, handle, kubeconfig, choice, [], within, { ...quick, silence }).catch(
      (thrown: unknown) => thrown,
    );
    return { found, opened };
  }
  const byTunnel = { route: { kind: 'tunnel', tlsServerName: '127.0.0.1' } };

  it('opens it when no direct route leads anywhere', async () => {
    const reason = 'tunnel (this job reaches 127.0.0.1; cluster-ip did not answer)';
    expect(await find(silent, 'auto', 100)).toMatchObject({ found: { ...byTunnel, reason }, opened: 1 });
  });

  it('does not open it when a connection is refused: the API server may come there', async () => {
    expect(await find(nowhere, 'auto', 200, { limit: 1_000 })).toMatchObject({
      found: { name: 'TimeoutError' },
      opened: 0,
    });
  });

  it('opens it at once when it is asked for, and asks by no other route', async () => {
    expect(await find(silent, 'tunnel', 60_000)).toMatchObject({ found: byTunnel, opened: 1 });
  });

  it('does not open it for another choice', async () => {
    expect(await find(silent, 'cluster-ip', 0, { limit: 500 })).toMatchObject({
      found: { name: 'TimeoutError' },
      opened: 0,
    });
  });

  it('that cannot be opened ends it only when it was asked for', async () => {
    expect(await find(silent, 'auto', 0, { open: noTunnel, limit: 500 })).toMatchObject({
      found: { name: 'TimeoutError' },
      opened: 1,
    });
    expect(await find(silent, 'tunnel', 0, { open: noTunnel })).toMatchObject({
      found: { code: 'KNEST_PERMISSION' },
      opened: 1,
    });
  });
});

describe('awaitAnswer through a tunnel that is not there yet', () => {
  it('tries again to open it, and says why it is not there', async () => {
    const { client } = await clientOf((response) => refuse(response, 404));
    const nested = await serve((response) => response.end('ok'));
    const notes: string[] = [];
    let tries = 0;
    const open = async (): Promise<string> => {
      tries += 1;
      if (tries < 2) throw new KnestError({ code: 'KNEST_API_ACCESS', problem: 'its image is being pulled' });
      return Promise.resolve(nested.url);
    };
    const choice = { apiAccess: 'tunnel', apiHost: undefined } as const;
    const given = { ...runtime(open), onNote: (line: string) => notes.push(line) };
    expect(await awaitAnswer(client, handle, nowhere, choice, [], given, quick)).toMatchObject({
      route: { kind: 'tunnel' },
    });
    expect(tries).toBe(2);
    expect(notes).toEqual(['no tunnel yet: its image is being pulled (KNEST_API_ACCESS)']);
  });

  it('takes a direct route that answers as well', async () => {
    const nested = await serve((response, number) => {
      if (number < 2) refuse(response, 503);
      else response.end('ok');
    });
    const { client } = await clientOf((response) => refuse(response, 404));
    // What answers is behind a proxy, as it were: that a route leads somewhere is not known before.
    const there = { ...nowhere, server: nested.url };
    const given = runtime(async () => Promise.resolve(nested.url));
    expect(await awaitAnswer(client, handle, there, auto, [], given, quick)).toMatchObject({
      route: { kind: 'cluster-ip' },
    });
  });
});

describe('firstToAnswer', () => {
  const [first, second] = ['cluster-ip', 'node-port'].map(
    (kind) => ({ kind, server: `https://${kind}`, tlsServerName: undefined }) as Route,
  );
  if (first === undefined || second === undefined) throw new Error('there are two');
  const { signal } = new AbortController();

  it('does not wait for a more direct route that hangs', async () => {
    const ask = async (route: Route, stop: AbortSignal): Promise<boolean> => {
      if (route === first) await pause(60_000, stop);
      return true;
    };
    expect(await firstToAnswer([first, second], ask, signal)).toBe(second);
  });

  it('prefers a more direct route that answers soon after', async () => {
    let answers = 0;
    const ask = async (route: Route): Promise<boolean> => {
      await Promise.resolve();
      answers += route === first ? 1 : 0;
      return route === second || answers > 1;
    };
    expect(await firstToAnswer([first, second], ask, signal)).toBe(first);
  });

  it('returns nothing once the signal aborts', async () => {
    const ask = async (): Promise<boolean> => Promise.resolve(false);
    expect(await firstToAnswer([first], ask, AbortSignal.timeout(50))).toBeUndefined();
    expect(await firstToAnswer([], ask, AbortSignal.timeout(50))).toBeUndefined();
    expect(await firstToAnswer([], ask, AbortSignal.abort())).toBeUndefined();
  });
});
