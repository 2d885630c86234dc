import { describe, expect, it } from 'vitest';
import { githubState, type SavedState } from '../../src/state.ts';

/** What the runner does with state: main's is what post gets, and what a process saves it does not see itself. */
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
  it('hands over to post what main remembered', () => {
    const main = step();
    main.state.remember(cluster);
    expect(step(main.saved).state.recall()).toEqual(cluster);
  });

  it('hands over to post how main entered the host', () => {
    const host = { hostKubeconfigFile: '/tmp/knest/host.kubeconfig' };
    const main = step();
    expect(step(main.saved).state.recallHost()).toBeUndefined();
    main.state.rememberHost(host);
    expect(step(main.saved).state.recallHost()).toEqual(host);
  });

  it('recalls nothing when main made nothing', () => {
    expect(step(step().saved).state.recall()).toBeUndefined();
  });

  it('tells post that main kept its cluster', () => {
    const main = step();
    expect(step(main.saved).state.isKept).toBe(false);
    main.state.keep();
    expect(step(main.saved).state.isKept).toBe(true);
  });

  it('tells post that main has handed its cluster over', () => {
    const main = step();
    expect(step(main.saved).state.isHandedOver).toBe(false);
    main.state.handOver();
    expect(step(main.saved).state.isHandedOver).toBe(true);
  });

  it('hands over to post where private files are', () => {
    const main = step();
    expect(main.state.directory).toBeUndefined();
    main.state.rememberDirectory('/tmp/knest-x');
    expect(step(main.saved).state.directory).toBe('/tmp/knest-x');
  });

  it('saves at once, since main may be killed any time', () => {
    const main = step();
    expect(main.saved.size).toBe(0);
    main.state.remember(cluster);
    expect(main.saved.size).toBe(1);
  });
});
