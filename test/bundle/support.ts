import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defaultVersions } from '../../scripts/docs.ts';
import { allAssets } from '../../src/catalog/components/catalog-assets.ts';
import { assetPath } from '../../src/catalog/release-asset.ts';
import { Job, type StepOptions, type StepResult } from '../support/runner.ts';
import { ApiServer, type Behaviour } from '../support/api-server.ts';

/** Where a mirror has the assets that the action may download. */
const PATHS = allAssets(defaultVersions()).map(assetPath);

const made: (() => void | Promise<void>)[] = [];

/** Ends and removes what the tests of a file made: for its afterAll. */
export async function cleanUp(): Promise<void> {
  for (const end of made.splice(0)) await end();
}

/** A job whose files are there until `cleanUp`. */
export function makeJob(inputs: StepOptions['inputs'], options: Omit<StepOptions, 'inputs'> = {}): Job {
  const job = new Job({ ...options, inputs });
  made.push(() => job.clean());
  return job;
}

/** Runs the action's main with these inputs. */
export async function runMain(inputs: StepOptions['inputs']): Promise<StepResult> {
  return makeJob(inputs).main();
}

/** An API server that answers until `cleanUp`. */
export async function startServer(behaviour?: Behaviour): Promise<ApiServer> {
  const server = await ApiServer.start(behaviour);
  made.push(() => server.stop());
  return server;
}

/** The inputs that name a mirror, and the sums of its files: those in the action's table are of the real files. */
export interface MirrorInputs extends Readonly<Record<string, string>> {
  readonly mirror: string;
  readonly 'checksums-file': string;
}

/** A mirror that serves these files until `cleanUp`. */
export async function startMirror(fileOf: (path: string) => string | undefined): Promise<MirrorInputs> {
  const server = createServer(({ url = '' }, response) => {
    const file = fileOf(url);
    return file === undefined ? response.writeHead(404).end() : response.end(file);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  made.push(() => void server.close());
  const directory = mkdtempSync(join(tmpdir(), 'knest-sums-'));
  made.push(() => rmSync(directory, { recursive: true }));
  const sums = join(directory, 'sums');
  const lines = PATHS.map((path) => {
    const sum = createHash('sha256')
      .update(fileOf(`/${path}`) ?? '')
      .digest('hex');
    return `${sum}  ${path}\n`;
  });
  writeFileSync(sums, lines.join(''));
  return { mirror: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, 'checksums-file': sums };
}

/** Variables by which that code runs in the process of the action as soon as that sends its first request. */
export function atFirstRequest(code: string): Readonly<Record<string, string>> {
  const listen = `
    import { subscribe, unsubscribe } from 'node:diagnostics_channel';
    const once = () => { unsubscribe('undici:request:create', once); ${code}; };
    subscribe('undici:request:create', once);`;
  return { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(listen)}` };
}

/** The texts of a log's annotations of that level. */
export function annotations({ log }: StepResult, level: 'error' | 'warning'): readonly string[] {
  return [...log.matchAll(new RegExp(`^::${level}(?: [^:]*)?::(.*)$`, 'gm'))].map(([, text = '']) => text);
}

/** The log as people see it: its lines without workflow commands, without the spaces at their ends. */
export function lines({ log }: StepResult): readonly string[] {
  return log
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('::'));
}
