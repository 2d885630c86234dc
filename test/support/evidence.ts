import { spawn } from 'node:child_process';
import { appendFileSync, existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import type { Host } from '../host/host.ts';
import { secretsOfSecret, secretsOfText } from './secrets.ts';

// What the runs of the action showed, and the secrets they must not show, from all test files of one run: proof of
// that is one test at its end.

/** Below build/, which no commit holds; readable by this user alone, since there are secrets of test clusters in it. */
const directory = join(resolve(import.meta.dirname, '../..'), 'build/evidence');
const secretsFile = join(directory, 'secrets');
const shownDirectory = join(directory, 'shown');

/** Begins anew: what an earlier run left is gone. */
export function clearEvidence(): void {
  rmSync(directory, { recursive: true, force: true });
}

/** Notes that the action must not show these. */
export function noteSecrets(secrets: readonly string[]): void {
  if (secrets.length === 0) return;
  mkdirSync(shownDirectory, { recursive: true, mode: 0o700 });
  appendFileSync(secretsFile, secrets.map((secret) => `${JSON.stringify(secret)}\n`).join(''), { mode: 0o600 });
}

/** Notes what a run showed, by the name of where it was to be seen. */
export function noteShown(run: string, shown: Readonly<Record<string, string>>): void {
  mkdirSync(shownDirectory, { recursive: true, mode: 0o700 });
  writeFileSync(join(shownDirectory, `${run.replace(/[^\w-]+/g, '-')}.json`), JSON.stringify(shown));
}

/** All that was noted; undefined when nothing was. */
export function readEvidence():
  { readonly secrets: readonly string[]; readonly shown: ReadonlyMap<string, string> } | undefined {
  if (!existsSync(secretsFile)) return undefined;
  const lines = readFileSync(secretsFile, 'utf8').trimEnd().split('\n');
  const shown = globSync('*.json', { cwd: shownDirectory }).flatMap((file) => {
    const texts = JSON.parse(readFileSync(join(shownDirectory, file), 'utf8')) as Record<string, string>;
    return Object.entries(texts).map(([place, text]) => [`${file} ${place}`, text] as const);
  });
  return { secrets: lines.map((line) => JSON.parse(line) as string), shown: new Map(shown) };
}

/** Notes every Secret that is on a host from here on, however short: of the host, and of all clusters on it. */
export function watchSecrets(host: Host): { readonly stop: () => void } {
  noteSecrets(secretsOfText(readFileSync(host.kubeconfig, 'utf8')));
  const columns = 'jsonpath={.type} {.data}{"\\n"}';
  const { command, args } = host.command(['kubectl', 'get', 'secrets', '-A', '--watch', '-o', columns]);
  let isStopped = false;
  let child = start();
  function start(): ReturnType<typeof spawn> {
    const kubectl = spawn(command, args, { env: host.environment, stdio: ['ignore', 'pipe', 'ignore'] });
    createInterface({ input: kubectl.stdout }).on('line', (line) => {
      const [, type = '', data = ''] = /^(\S*) (.*)$/.exec(line) ?? [];
      if (data === '') return; // an empty Secret
      noteSecrets(secretsOfSecret({ type, data: JSON.parse(data) as Readonly<Record<string, string>> }));
    });
    // The server ends a watch after a while.
    kubectl.on('close', () => {
      if (!isStopped) child = start();
    });
    return kubectl;
  }
  return {
    stop: () => {
      isStopped = true;
      child.kill();
    },
  };
}
