import { describe, expect, it } from 'vitest';
import { renderTemplate } from '../../../../src/cluster/template/render.ts';
import { Clusterctl } from '../../../../src/install/clusterctl.ts';
import { Downloader } from '../../../../src/install/download.ts';
import type { ProcessResult } from '../../../../src/runner/process.ts';
import { downloadRuntime, fromGithub } from '../../../support/downloads.ts';
import { rejection } from '../../rejection.ts';

const template = { text: 'kind: List', origin: 'ConfigMap store/large' };
const env = { TEAM: 'blue', GITHUB_TOKEN: 'secret', ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'secret' };

/** Renders with a clusterctl that has this result. */
async function render(result: Partial<ProcessResult>, text = template.text): Promise<string> {
  const unused = (): never => expect.unreachable();
  const runtime = {
    run: unused,
    env: {},
    directory: '/nowhere',
    providerVariables: {},
    warn: unused,
  };
  class Stub extends Clusterctl {
    override generateYaml(): Promise<ProcessResult> {
      return Promise.resolve({ exitCode: 0, stdout: '', stderr: '', ...result });
    }
  }
  const clusterctl = new Stub(runtime, new Downloader(fromGithub, downloadRuntime('/nowhere')), 'v1.14.2', []);
  return renderTemplate(clusterctl, { ...template, text }, {}, env);
}

describe('renderTemplate', () => {
  it('returns the output of clusterctl', async () => {
    expect(await render({ stdout: 'kind: List\n' })).toBe('kind: List\n');
  });

  it('names the variables without a value, with the lines that set them', async () => {
    const stderr =
      'Error: value for variables [ACTIONS_ID_TOKEN_REQUEST_TOKEN, REGION, TEAM] is not set. Please set the value using os environment variables or the clusterctl config file';
    expect(await rejection(render({ exitCode: 1, stderr }))).toMatchObject({
      code: 'KNEST_TEMPLATE',
      problem:
        'the template ConfigMap store/large needs variables that are not set: ACTIONS_ID_TOKEN_REQUEST_TOKEN, REGION, TEAM',
      evidence: [
        'the env of the job is not passed on; add to this step:',
        'template-variables: |',
        '  ACTIONS_ID_TOKEN_REQUEST_TOKEN=VALUE',
        '  REGION=VALUE',
        '  TEAM=${{ env.TEAM }}',
      ],
    });
  });

  it('does not quote text that is not YAML, since it contains the values of variables', async () => {
    const stderr = `Error: failed to parse yaml: failed to unmarshal the 1st yaml document: "a: \\"s3cret\\"x\\"": error converting YAML to JSON: yaml: line 7: did not find expected key\n`;
    const failure = await rejection(render({ exitCode: 1, stderr }));
    expect(failure).toMatchObject({
      code: 'KNEST_TEMPLATE',
      problem: 'the template ConfigMap store/large is not valid YAML after its variables are replaced',
      evidence: ['yaml: line 7: did not find expected key'],
    });
    expect(String(failure)).not.toContain('s3cret');
  });

  it('names a document that is not an object', async () => {
    const stderr = `Error: failed to parse yaml: failed to unmarshal the 2nd yaml document: "s3cret": error unmarshaling JSON: while decoding JSON: json: cannot unmarshal string into Go value\n`;
    const text = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${CLUSTER_NAME}\n---\ns3cret\n';
    expect(await rejection(render({ exitCode: 1, stderr }, text))).toMatchObject({
      code: 'KNEST_TEMPLATE',
      problem: 'the template cannot be used: document 2 is a string, not an object',
    });
  });

  it('reports the last lines of any other failure', async () => {
    const stderr = 'Error: unable to parse variable name\n';
    expect(await rejection(render({ exitCode: 1, stderr }))).toMatchObject({
      code: 'KNEST_TEMPLATE',
      problem: 'clusterctl cannot render the template ConfigMap store/large',
      evidence: ['Error: unable to parse variable name'],
    });
  });
});
