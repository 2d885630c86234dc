import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectGone } from '../expect.ts';
import { sharedHost } from '../support.ts';
import { Act, namespace, type Trigger } from './act.ts';

const host = sharedHost();
const file = 'pool.yml';
const names = ['small-slot-1', 'small-slot-2'];

/** The workflow in docs/recipes/pool.md whose job claims a cluster. */
function claimer(): string {
  const recipe = readFileSync(resolve(import.meta.dirname, '../../../docs/recipes/pool.md'), 'utf8');
  const examples = [...recipe.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, text = '']) => text);
  return examples.find((text) => text.startsWith('on: push')) ?? '';
}

describe(`workflows/${file}`, () => {
  let act: Act;
  beforeAll(async () => {
    act = await Act.prepare(host, { defaults: { infrastructure: 'in-memory' } });
  });
  afterAll(async () => {
    await host.kubectl(['delete', 'clusters', '-n', namespace, ...names, '--ignore-not-found']);
    act.clean();
  });

  const bySchedule: Trigger = { event: 'schedule' };
  const byHand = (size: string): Trigger => ({ event: 'workflow_dispatch', payload: { inputs: { size } } });
  /** What the workflow logs, which has to succeed. */
  const fill = async (trigger: Trigger): Promise<string> => {
    const { code, log } = await act.run([file], trigger);
    expect(code, log).toBe(0);
    return log;
  };
  /** The free clusters, with the UIDs that tell them from later ones of the same name. */
  const free = async (): Promise<readonly string[]> => {
    const jsonpath = 'jsonpath={range .items[*]}{.metadata.name} {.metadata.uid}{"\\n"}{end}';
    const query = ['get', 'clusters', '-n', namespace, '-l', 'knest-action/pool=small', '-o', jsonpath];
    return (await host.kubectl(query)).split('\n').filter((line) => line !== '');
  };

  it('fills the pool on its schedule, and keeps what is ready', async () => {
    expect(await fill(bySchedule)).toContain('✔ The pool small has 2 of 2 clusters ready');
    const made = await free();
    expect(made.map((line) => line.split(' ')[0])).toEqual(names);
    expect(await fill(bySchedule)).toContain('✔ The pool small has 2 of 2 clusters ready');
    expect(await free()).toEqual(made);
  });

  it('has a cluster for a job with the same inputs, whose post step deletes it', async () => {
    const before = await free();
    const { code, log } = await act.run([], { event: 'push' }, { '.github/workflows/test.yml': claimer() });
    expect(code, log).toBe(0);
    const name = /small: (small-slot-[12]) is claimed/.exec(log)?.[1] ?? '';
    expect(names).toContain(name);
    expect(log).toMatch(new RegExp(`\\| ${name}-cp-\\S+ `));
    expect(log).toContain(`nothing of ${name} is left`);
    expect(await free()).toEqual(before.filter((line) => !line.startsWith(`${name} `)));
  });

  it('deletes the clusters that no job has claimed when it is started by hand with 0', async () => {
    expect(await fill(byHand('0'))).toContain('✔ The pool small has 0 of 0 clusters ready');
    for (const name of names) await expectGone(host, namespace, name);
  });
});
