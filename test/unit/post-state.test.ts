import { describe, expect, it } from 'vitest';
import { githubState, type SavedState } from '../../src/post-state.ts';

/** The state as the runner handles it: post gets the state of main, and a process does not see what it saves itself. */
function step(before: ReadonlyMap<string, string> = new Map()) {
  const saved = new Map<string, string>();
  const state = githubState({
    getState: (name) => before.get(name) ?? '',
    saveState: (name, value) => saved.set(name, value),
  });
  return { state, saved };
}

const cluster: SavedState = {
  name: 'knest-1-1-test',
  namespace: 'knest',
  ephemeral: true,
  keepOnFailure: false,
  repository: { 'knest-action/repository-id': '1' },
  claim: 'c1a1',
  unsettled: {},
};

describe('githubState', () => {
  it('passes the cluster of main to post', () => {
    const main = step();
    main.state.remember(cluster);
    expect(step(main.saved).state.recall()).toEqual(cluster);
  });

  it('passes the host credentials of main to post', () => {
    const host = { hostKubeconfigFile: '/tmp/knest/host.kubeconfig' };
    const main = step();
    expect(step(main.saved).state.recallHost()).toBeUndefined();
    main.state.rememberHost(host);
    expect(step(main.saved).state.recallHost()).toEqual(host);
  });

  it('passes the tunnel of main to post', () => {
    const tunnel = { pid: 7, startTime: '1234', settingsFile: '/tmp/tunnel.json', log: '/tmp/tunnel.log' };
    const main = step();
    expect(step(main.saved).state.recallTunnel()).toBeUndefined();
    main.state.rememberTunnel(tunnel);
    expect(step(main.saved).state.recallTunnel()).toEqual(tunnel);
  });

  it('passes nothing to post when main created nothing', () => {
    expect(step(step().saved).state.recall()).toBeUndefined();
  });

  it('tells post whether main kept its cluster', () => {
    const main = step();
    expect(step(main.saved).state.isKept).toBe(false);
    main.state.keep();
    expect(step(main.saved).state.isKept).toBe(true);
  });

  it('tells post whether main handed its cluster over', () => {
    const main = step();
    expect(step(main.saved).state.isHandedOver).toBe(false);
    main.state.handOver();
    expect(step(main.saved).state.isHandedOver).toBe(true);
  });

  it('passes the directory for private files to post', () => {
    const main = step();
    expect(main.state.directory).toBeUndefined();
    main.state.rememberDirectory('/tmp/knest-x');
    expect(step(main.saved).state.directory).toBe('/tmp/knest-x');
  });

  it('saves at once, since main may be killed at any time', () => {
    const main = step();
    expect(main.saved.size).toBe(0);
    main.state.remember(cluster);
    expect(main.saved.size).toBe(1);
  });
});
