import { describe, expect, it } from 'vitest';
import { aboutObjects, distinctErrors } from '../../../../src/cluster/diagnostics/controller-logs.ts';

describe('a log line of a controller', () => {
  const isAbout = aboutObjects('knest', new Set(['pr-1', 'pr-1-cp-x7k2p']));

  it.each([
    'E1124 09:15:16.820842 1 controller.go:494] "Reconciler error" err="down" Machine="knest/pr-1-cp-x7k2p"',
    '{"level":"error","logger":"controller.virtinkcluster","name":"pr-1","namespace":"knest"}',
    '1.6e+09\tERROR\tcontroller.virtinkmachine\tReconciler error\t{"name": "pr-1", "namespace": "knest"}',
  ])('is about the cluster that it names: %s', (line) => expect(isAbout(line)).toBe(true));

  it.each([
    ['with a longer name', 'E1124 err="down" Cluster="knest/pr-12"'],
    ['whose name continues after a hyphen', 'E1124 err="down" Cluster="knest/pr-1-other"'],
    ['in another namespace', 'E1124 err="down" Cluster="team/pr-1"'],
    ['in a namespace that continues after a hyphen', 'E1124 err="down" Cluster="knest-2/pr-1"'],
    ['that it does not name', 'I1124 starting'],
  ])('is not about the cluster %s', (_whose, line) => expect(isAbout(line)).toBe(false));
});

describe('errors', () => {
  it('are listed once, in their latest form, in all formats', () => {
    const again = (second: string, id: string): string =>
      `E1124 09:15:${second}.7 1 controller.go:494] "Reconciler error" err="down" reconcileID="${id}-4efd-46ef-8a20-7b7c6f3ad01f"`;
    const lines = [
      again('01', '05f05d44'),
      'I1124 09:15:02.0 1 controller.go:1] "Reconciled"',
      '2026-11-24T09:15:03Z\tERROR\tcontroller\tno such image',
      '{"level":"error","msg":"refused"}',
      again('05', 'd2b1d819'),
      'cannot read this: forbidden',
    ];
    expect(distinctErrors(lines)).toEqual([lines[2], lines[3], lines[4], lines[5]]);
  });

  it('do not include lines that report success', () => {
    expect(distinctErrors(['I1124 done errors=', 'I1124 "terror": 1', 'I1124 error count 0'])).toEqual([]);
  });
});
