import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectGone } from '../expect.ts';
import { leftovers, sharedHost } from '../support.ts';
import { Act, namespace, pullRequest } from './act.ts';

const host = sharedHost();
const file = 'reusable.yml';
const script = '#!/bin/sh\nset -eu\nkubectl get nodes --output=name\necho "the script has run"\n';

/** The calling workflow in docs/recipes/workflows.md. */
function caller(): string {
  const recipe = readFileSync(resolve(import.meta.dirname, '../../../docs/recipes/workflows.md'), 'utf8');
  const examples = [...recipe.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, text = '']) => text);
  return examples.find((text) => text.includes(`uses: ./.github/workflows/${file}`)) ?? '';
}

describe(`workflows/${file}`, () => {
  let act: Act;
  beforeAll(async () => {
    act = await Act.prepare(host, { defaults: { infrastructure: 'in-memory' } });
  });
  afterAll(() => act.clean());

  it('runs a script of the calling repository, on a separate cluster for each call', async () => {
    const again = caller().replace(/^ {2}e2e:[\s\S]*/m, (job) => job + job.replace('e2e:', 'again:'));
    const files = { '.github/workflows/caller.yml': again, 'test/e2e.sh': script };
    const { code, log } = await act.run([file], { event: 'pull_request', payload: pullRequest(7) }, files);
    expect(code, log).toBe(0);
    const nodes = [...log.matchAll(/\| node\/(knest-1-1-run-[0-9a-f]{8})-cp-\w+\n/g)].map(([, name = '']) => name);
    expect(nodes).toHaveLength(2);
    expect(nodes[0]).not.toBe(nodes[1]);
    expect(log.match(/\| the script has run\n/g)).toHaveLength(2);
    for (const name of nodes) {
      expect(log).toContain(`nothing of ${name} is left`);
      expect(await leftovers(host, namespace, name)).toEqual([]);
    }
  });

  it('treats the name of the script as plain text, and deletes the cluster when it fails', async () => {
    const hostile = caller().replace('test/e2e.sh', `'"; echo broken-$((6 * 7)); $(echo out)"'`);
    const files = { '.github/workflows/caller.yml': hostile, 'test/e2e.sh': script };
    const { code, log } = await act.run([file], { event: 'pull_request', payload: pullRequest(7) }, files);
    expect(code, log).not.toBe(0);
    expect(log).toContain('Failure - Main Run the script');
    expect(log).toContain('$(echo out)');
    expect(log).not.toContain('broken-42');
    const name = /::set-output:: name=(knest-1-1-run-[0-9a-f]{8})\n/.exec(log)?.[1] ?? '';
    expect(name).not.toBe('');
    await expectGone(host, namespace, name);
  });

  it('tells a pull request from a fork why it has no cluster', async () => {
    const files = { '.github/workflows/caller.yml': caller(), 'test/e2e.sh': script };
    const payload = pullRequest(7, 'octo-fork/octo-repo');
    const { code, log } = await act.run([file], { event: 'pull_request', payload }, files);
    expect(code, log).toBe(0);
    expect(log).toContain('A pull request from a fork has no secrets, so it gets no cluster.');
    expect(log).not.toContain('the script has run');
  });
});
