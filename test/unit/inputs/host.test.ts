import { beforeAll, describe, expect, it } from 'vitest';
import { readAction } from '../../../scripts/docs.ts';
import { COMMANDS, inputsIn, readInputs } from '../../../src/inputs.ts';
import { NOT_GIVEN } from '../../../src/inputs/reading/reader.ts';
import { makeCertificate } from '../../support/certificate.ts';
import { problems, read } from './given-inputs.ts';

const server = 'https://host.example.com:6443';
const oidc = { 'host-server': server, 'host-oidc-audience': 'knest:host' };
let pem = '';
let key = '';

beforeAll(() => {
  ({ cert: pem, key } = makeCertificate());
});

function oidcOf(given: Readonly<Record<string, string>>): unknown {
  return read({ ...oidc, ...given }).host.oidc;
}

describe('host-server', () => {
  it('is used with a token for the audience', () => {
    expect(oidcOf({})).toEqual({ server, audience: 'knest:host', caCertificate: undefined });
    expect(oidcOf({ 'host-server': 'https://proxy.example.com/clusters/c-1/' })).toMatchObject({
      server: 'https://proxy.example.com/clusters/c-1',
    });
  });

  it('is not used when it is not given', () => {
    expect(read().host.oidc).toBeUndefined();
  });

  it.each([
    ['http://host:6443', '"http://host:6443" is http: a token is only sent over https'],
    ['host:6443', '"host:6443" is not an https URL; for example https://host.example.com:6443'],
    ['ftp://host', '"ftp://host" is not an https URL; for example https://host.example.com:6443'],
    ['https://ci:hunter2@host', 'contains a user name; the token identifies the caller'],
    ['http://ci:hunter2@host', 'contains a user name; the token identifies the caller'],
    ['ci:hunter2@host:6443', 'it is not an https URL; for example https://host.example.com:6443'],
    ['https://ci:hun ter2@host:port', 'it is not an https URL; for example https://host.example.com:6443'],
    ['https://host/?token=hunter2', 'has a query or a fragment; remove it'],
  ])('is refused when it is %s', (text, problem) => {
    expect(problems({ ...oidc, 'host-server': text })).toEqual([`host-server: ${problem}`]);
  });

  it.each([
    [{ 'host-kubeconfig': 'x' }, 'host-kubeconfig'],
    [{ 'host-kubeconfig-file': 'x' }, 'host-kubeconfig-file'],
    [{ 'host-kubeconfig': 'x', 'host-context': 'c' }, 'host-kubeconfig and host-context'],
  ])('excludes a kubeconfig: %o', (given, names) => {
    expect(problems({ ...oidc, ...given })).toEqual([
      `host-server: is set together with ${names}; set it, or a kubeconfig`,
    ]);
  });

  it('is required when an input that depends on it is set', () => {
    expect(problems({ 'host-oidc-audience': 'knest:host' })).toEqual([
      'host-server: is missing, but host-oidc-audience is set and needs it',
    ]);
    expect(problems({ 'host-ca-certificate': pem })).toEqual([
      'host-server: is missing, but host-ca-certificate is set and needs it',
    ]);
  });
});

describe('a source of host credentials', () => {
  const ways = ['host-kubeconfig', 'host-kubeconfig-file', 'host-server'];
  const blank =
    'is blank: pull requests from forks and of Dependabot get no secrets of the repository. Skip this step for them, or check the name of the secret. Leave the input out to use the credentials of the runner';

  it.each(COMMANDS.flatMap((command) => ways.map((way) => [command, way] as const)))(
    'is not replaced by the runner’s when it is blank: %s, %s',
    (command, way) => {
      const which = command === 'pool' ? { pool: 'small' } : { name: 'demo' };
      const common = { command, ...which, replicas: '1:1', 'kubernetes-version': '1.34.1' };
      expect(problems({ ...common, [way]: '' })).toEqual([`${way}: ${blank}`]);
      expect(problems({ ...common, [way]: ' \n' })).toEqual([`${way}: ${blank}`]);
    },
  );

  it('is the runner when none is given, even without action.yml', () => {
    const none = { kubeconfig: undefined, kubeconfigFile: undefined, context: undefined, oidc: undefined };
    expect(read().host).toEqual(none);
    const outside: Readonly<Record<string, string>> = {
      INPUT_COMMAND: 'list',
      INPUT_NAMESPACE: 'knest',
      INPUT_TIMEOUT: '1m',
    };
    expect(readInputs(inputsIn({ ...outside, 'INPUT_ALL-REPOSITORIES': 'false' })).host).toEqual(none);
  });

  it('may be blank when another one is not', () => {
    const blanks = Object.fromEntries(ways.map((way) => [way, '']));
    expect(read({ ...blanks, 'host-kubeconfig': 'text' }).host).toMatchObject({ kubeconfig: 'text' });
    expect(read({ ...blanks, 'host-kubeconfig-file': 'file' }).host).toMatchObject({ kubeconfigFile: 'file' });
    expect(read({ ...blanks, ...oidc }).host).toMatchObject({ kubeconfig: undefined, oidc: { server } });
  });

  it('causes one problem when it is blank, although other inputs depend on it', () => {
    expect(problems({ ...oidc, 'host-server': '' })).toEqual([`host-server: ${blank}`]);
  });

  it('has a default in action.yml that means not given', () => {
    const { inputs } = readAction();
    const marked = Object.keys(inputs).filter((name) => inputs[name]?.default === NOT_GIVEN);
    expect(marked).toEqual(ways);
  });
});

describe('host-oidc-audience', () => {
  it('is required: a token for any audience could be used elsewhere', () => {
    expect(problems({ 'host-server': server })).toEqual([
      'host-oidc-audience: is missing; the audience that the host expects, for example knest:my-host',
    ]);
  });
});

describe('host-ca-certificate', () => {
  it('may be PEM, or base64 of PEM', () => {
    expect(oidcOf({ 'host-ca-certificate': pem })).toMatchObject({ caCertificate: pem });
    expect(oidcOf({ 'host-ca-certificate': btoa(pem) })).toMatchObject({ caCertificate: pem });
    const two = `# one\n${pem}\n# other\n${pem}`;
    expect(oidcOf({ 'host-ca-certificate': two })).toMatchObject({ caCertificate: pem + pem });
  });

  it('is refused otherwise, without quoting it', () => {
    const broken = pem.replace(/\n.{10}/, '\n**********');
    for (const text of ['/etc/ca.crt', 'aGVsbG8=', key, broken]) {
      expect(problems({ ...oidc, 'host-ca-certificate': text })).toEqual([
        'host-ca-certificate: is not a certificate: PEM, or its base64 as in a kubeconfig',
      ]);
    }
  });
});
