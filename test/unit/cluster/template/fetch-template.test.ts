import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { fetchTemplate } from '../../../../src/cluster/template/fetch-template.ts';
import type { Template } from '../../../../src/cluster/template/render.ts';
import type { TemplateSource, WebFile } from '../../../../src/inputs.ts';
import { Downloader } from '../../../../src/install/download.ts';
import { hostWith } from '../../host/fake-host.ts';
import { rejection } from '../../rejection.ts';
import { downloadRuntime, fromGithub } from '../../../support/downloads.ts';

const configMap = '/api/v1/namespaces/knest/configmaps/store';
const fromConfigMap: TemplateSource = { kind: 'config-map', namespace: 'knest', name: 'store' };

function temporary(): string {
  const directory = mkdtempSync(join(tmpdir(), 'template-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** A downloader that answers with the requested address. */
class Echo extends Downloader {
  readonly #directory: string;

  constructor(directory: string) {
    super(fromGithub, downloadRuntime(directory));
    this.#directory = directory;
  }

  override webFile({ url, sha256 }: WebFile, path: string): Promise<string> {
    const file = join(this.#directory, path);
    writeFileSync(file, `${url} ${sha256 ?? 'unverified'}`);
    return Promise.resolve(file);
  }
}

const fetched = async (
  source: TemplateSource,
  answers: Readonly<Record<string, unknown>> = {},
  directory = temporary(),
): Promise<Template> => {
  const { client } = await hostWith(answers);
  return fetchTemplate(client, source, new Echo(directory));
};

describe('fetchTemplate', () => {
  it('reads a file from its path', async () => {
    const path = join(temporary(), 'mine.yaml');
    writeFileSync(path, 'kind: Cluster');
    expect(await fetched({ kind: 'file', path })).toEqual({ text: 'kind: Cluster', origin: path });
  });

  it('reports a missing file as a problem of the input', async () => {
    expect(await rejection(fetched({ kind: 'file', path: 'gone.yaml' }))).toMatchObject({
      code: 'KNEST_INPUT',
      evidence: [expect.stringMatching(/^cluster-template: gone\.yaml cannot be read: .*ENOENT/)],
    });
  });

  it('downloads from a URL, with the given checksum', async () => {
    const url = 'https://example.com/t.yaml';
    expect(await fetched({ kind: 'url', url, sha256: 'abc' })).toMatchObject({ text: `${url} abc`, origin: url });
  });

  it.each([
    ['only key', { 'small.yaml': 'one' }, 'one'],
    ['key "template"', { other: 'two', template: 'three' }, 'three'],
  ])('reads the %s of a ConfigMap', async (_what, data, text) => {
    const template = await fetched(fromConfigMap, { [configMap]: { metadata: { name: 'store' }, data } });
    expect(template).toEqual({ text, origin: 'ConfigMap knest/store' });
  });

  it.each([
    [{}, 'there is no ConfigMap knest/store'],
    [
      { [configMap]: { data: { a: '1', b: '2' } } },
      'ConfigMap knest/store has a, b; put the template in the only key, or in "template"',
    ],
    [{ [configMap]: {} }, 'ConfigMap knest/store has nothing; put the template in the only key, or in "template"'],
  ])('does not guess the key of a ConfigMap: %j', async (answers, problem) => {
    expect(await rejection(fetched(fromConfigMap, answers))).toMatchObject({
      code: 'KNEST_INPUT',
      problem: '1 input cannot be used; nothing was created',
      evidence: [`cluster-template: ${problem}`],
    });
  });

  it('fails when the host refuses the request', async () => {
    expect(await rejection(fetched(fromConfigMap, { [configMap]: false }))).toMatchObject({ code: 'KNEST_PERMISSION' });
  });
});
