import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { conditionOfMember, nextStep, type PoolRules } from '../../../../src/cluster/pool/fill-plan.ts';
import type { PoolMember } from '../../../../src/cluster/pool/member.ts';
import { HOUR, memberWith, now } from './members.ts';

const rules: PoolRules = {
  pool: 'small',
  size: 3,
  maxConcurrent: 2,
  fingerprint: 'ours',
  makingMilliseconds: HOUR / 3,
  maxAge: 12 * HOUR,
  now,
};

describe('a member of a pool', () => {
  it('is ready when a job can use it', () => {
    expect(conditionOfMember(memberWith({}), rules)).toBe('ready');
  });

  it.each([
    ['making', 'that is young and not ready', { isReady: false, age: HOUR / 4 }],
    ['stale', 'that has taken too long, or is not ready any more', { isReady: false, age: HOUR / 2 }],
    ['broken', 'that cannot start', { state: { state: 'failing' } }],
    ['broken', 'that has expired', { life: -1 }],
    ['broken', 'whose expiry is not a time', { expiresAt: 'soon' }],
    ['stale', 'that other inputs made', { fingerprint: 'theirs' }],
    ['stale', 'of whose life less than a quarter is left', { life: 2.9 * HOUR }],
    ['leaving', 'whose deletion was requested', { deleting: true, fingerprint: 'theirs' }],
    ['kept', 'that somebody keeps', { keep: true, life: -1 }],
  ] as const)('is %s: one %s', (condition, _title, changes) => {
    expect(conditionOfMember(memberWith(changes), rules)).toBe(condition);
  });
});

describe('nextStep', () => {
  const view = (members: readonly PoolMember[], others: readonly string[] = []) => ({
    members,
    taken: new Set([...members.map(({ name }) => name), ...others]),
  });

  it('makes what is missing, in the lowest slots that no cluster has, claimed ones among them', () => {
    expect(nextStep(view([memberWith({ slot: 2 })], ['small-slot-1', 'small-slot-4']), rules)).toEqual({
      kind: 'make',
      names: ['small-slot-3', 'small-slot-5'],
    });
  });

  it('counts what another filler makes', () => {
    const making = [1, 2].map((slot) => memberWith({ slot, isReady: false, age: 0 }));
    expect(nextStep(view(making), rules)).toEqual({ kind: 'wait', members: making });
  });

  it('deletes the youngest of too many, and those that are not ready first', () => {
    const members = [
      memberWith({ slot: 1, age: 3 * HOUR }),
      memberWith({ slot: 2, age: 2 * HOUR }),
      memberWith({ slot: 3, age: HOUR / 8, isReady: false }),
    ];
    const step = nextStep(view(members), { ...rules, size: 1 });
    expect(step).toMatchObject({ kind: 'delete', members: [{ name: 'small-slot-3' }, { name: 'small-slot-2' }] });
  });

  const anyMember = fc.record({
    slot: fc.integer({ min: 1, max: 9 }),
    state: fc.constantFrom('ready', 'failing').map((state) => ({ state })),
    isReady: fc.boolean(),
    fingerprint: fc.constantFrom('ours', 'theirs'),
    age: fc.integer({ min: 0, max: 11 * HOUR }),
    life: fc.integer({ min: -HOUR, max: 12 * HOUR }),
    deleting: fc.boolean(),
  });
  const anyPool = fc.uniqueArray(anyMember, { selector: ({ slot }) => slot, maxLength: 8 });

  it('ends with exactly the pool that is asked for, and on the way never has fewer usable clusters than before', () => {
    fc.assert(
      fc.property(anyPool, fc.integer({ min: 0, max: 5 }), fc.integer({ min: 1, max: 3 }), (made, size, most) => {
        const asked = { ...rules, size, maxConcurrent: most };
        let members: readonly PoolMember[] = made
          .map(memberWith)
          .toSorted((a, b) => a.createdAt.localeCompare(b.createdAt));
        const conditions = (): readonly string[] => members.map((member) => conditionOfMember(member, asked));
        const usable = (): number => conditions().filter((one) => one === 'ready' || one === 'stale').length;
        const before = Math.min(usable(), size);
        for (let steps = 0; ; steps++) {
          expect(steps).toBeLessThan(60);
          const step = nextStep(view(members), asked);
          if (step.kind === 'done') break;
          if (step.kind === 'make') {
            expect(step.names.length).toBeGreaterThan(0);
            const more = step.names.map((name) => ({ ...memberWith({ age: 0, isReady: false }), name }));
            expect(members.filter(({ name }) => step.names.includes(name))).toEqual([]);
            members = [...members, ...more];
            const making = conditions().filter((one) => one === 'making').length;
            const earlier = made.map(memberWith).filter((one) => conditionOfMember(one, asked) === 'making').length;
            expect(making).toBeLessThanOrEqual(Math.max(most, earlier));
          } else {
            expect(step.members.length).toBeGreaterThan(0);
            const names = new Set(step.members.map(({ name }) => name));
            const change = (one: PoolMember): PoolMember =>
              step.kind === 'delete' ? { ...one, deleting: true } : { ...one, isReady: true };
            members = members.map((one) => (names.has(one.name) ? change(one) : one));
          }
          expect(usable()).toBeGreaterThanOrEqual(before);
        }
        expect(conditions().filter((one) => one !== 'leaving')).toEqual(Array(size).fill('ready'));
      }),
      { numRuns: 500 },
    );
  });
});
