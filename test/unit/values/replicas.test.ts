import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseReplicas } from '../../../src/values/replicas.ts';

describe('parseReplicas', () => {
  it.each([
    ['3:2', 3, 2],
    ['3:', 3, undefined],
    [':2', undefined, 2],
    ['1:0', 1, 0],
    [':0', undefined, 0],
    ['9:1000', 9, 1000],
  ])('accepts %s', (text, controlPlane, workers) => expect(parseReplicas(text)).toEqual({ controlPlane, workers }));

  it.each([
    [':md-0=2', undefined, 'md-0', 2],
    ['3:gpu.large=0', 3, 'gpu.large', 0],
    [':7=1', undefined, '7', 1],
  ])('accepts %s for one of several MachineDeployments', (text, controlPlane, machineDeployment, workers) =>
    expect(parseReplicas(text)).toEqual({ controlPlane, workers, machineDeployment }),
  );

  it('accepts every odd number of control planes and any number of workers, or one of the two', () => {
    const controlPlanes = fc.option(fc.constantFrom(1, 3, 5, 7, 9), { nil: undefined });
    const numbers = fc.option(fc.integer({ min: 0, max: 1000 }), { nil: undefined });
    fc.assert(
      fc.property(controlPlanes, numbers, (controlPlane, workers) => {
        fc.pre(controlPlane !== undefined || workers !== undefined);
        expect(parseReplicas(`${controlPlane ?? ''}:${workers ?? ''}`)).toEqual({ controlPlane, workers });
      }),
    );
  });

  it.each([0, 2, 4, 10, 11, 9999])('refuses %d control planes', (count) => {
    expect(parseReplicas(`${count}:1`)).toEqual({
      problem: `etcd needs an odd number of control-plane machines, from 1 to 9, not ${count}`,
    });
  });

  it('refuses more than 1000 workers', () => {
    expect(parseReplicas('1:1001')).toEqual({ problem: 'at most 1000 workers, not 1001' });
  });

  it.each([
    '',
    ':',
    '3',
    '3:2:1',
    '3: 2',
    ' 3:2',
    '-1:2',
    '3:+2',
    '1.5:2',
    'x:2',
    '00001:2',
    '3/2',
    '3:2\n',
    '3:=2',
    '3:md-0=',
    '3:MD=2',
    'cp=3:2',
    '3:a=1,b=2',
  ])('refuses %j, with examples', (text) => {
    expect(parseReplicas(text)).toEqual({ problem: `"${text}" is not CP:WORKER; for example 3:2, 3: or :2` });
  });

  it('returns valid numbers or a problem for any text', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[0-9: x-]{0,8}$/), (text) => {
        const parsed = parseReplicas(text);
        if ('problem' in parsed) return;
        const { controlPlane = 1, workers = 0 } = parsed;
        expect(controlPlane % 2).toBe(1);
        expect(controlPlane).toBeLessThanOrEqual(9);
        expect(workers).toBeGreaterThanOrEqual(0);
        expect(workers).toBeLessThanOrEqual(1000);
      }),
    );
  });
});
