import fc, { type Arbitrary } from 'fast-check';
import { base64, extensions, mostly, pathsOf, some, union, type Fields, type Pki } from './fields.ts';
import { FILES } from './place.ts';

/** Users of every kind, most of them with credentials that work. */
export function users({ root, clientCertificate, clientKey }: Pki): Arbitrary<Fields> {
  const file = (name: string): Arbitrary<string> => fc.constantFrom(...pathsOf(root, name));
  const token = fc.constantFrom('abc', 'eyJ.x.y').map((text) => ({ token: text }));
  const tokenFile = fc
    .oneof(
      { weight: 8, arbitrary: file(FILES.token) },
      { weight: 1, arbitrary: fc.constantFrom('/no/such/token', `${root}/${FILES.emptyToken}`) },
    )
    .map((path) => ({ tokenFile: path }));
  const certificateFiles = fc
    .tuple(file(FILES.clientCertificate), file(FILES.clientKey))
    .map(([certificate, key]) => ({ 'client-certificate': certificate, 'client-key': key }));
  const certificateData = fc.constant({
    'client-certificate-data': base64(clientCertificate),
    'client-key-data': base64(clientKey),
  });
  const password = fc.constant({ username: 'me', password: 'hunter2' });
  const wrong = fc.constantFrom<Fields>(
    { 'client-certificate': `${root}/${FILES.clientCertificate}` },
    { 'client-certificate': `${root}/${FILES.clientCertificate}`, 'client-key': `${root}/${FILES.otherKey}` },
    { 'client-certificate-data': 'REDACTED', 'client-key-data': 'REDACTED' },
    { 'client-key': `${root}/${FILES.clientKey}` },
    { token: 'REDACTED' },
    { token: 'abc', username: 'me', password: 'hunter2' },
    { username: 'me' },
    { 'auth-provider': { name: 'oidc', config: { 'idp-issuer-url': 'https://issuer.example', 'client-id': 'me' } } },
    { 'auth-provider': { name: 'gcp' } },
  );
  const exec = fc
    .record({
      apiVersion: mostly(
        'client.authentication.k8s.io/v1',
        'client.authentication.k8s.io/v1beta1',
        'client.authentication.k8s.io/v1alpha1',
      ),
      command: mostly('plugin', `${root}/${FILES.plugin}`, `../../../${FILES.plugin}`, 'no-such-plugin'),
      interactiveMode: mostly('Never', 'IfAvailable', 'Always', ''),
      args: fc.constantFrom([], ['a', 'b c']),
      env: fc.constantFrom(null, [{ name: 'PLUGIN', value: 'x' }]),
      provideClusterInfo: fc.boolean(),
      installHint: fc.constantFrom('', 'install it'),
    })
    .map((fields) => ({ exec: fields }));
  return union(
    fc.oneof(
      { weight: 1, arbitrary: fc.constant({}) },
      { weight: 4, arbitrary: token },
      { weight: 4, arbitrary: tokenFile },
      { weight: 3, arbitrary: certificateFiles },
      { weight: 3, arbitrary: certificateData },
      { weight: 2, arbitrary: password },
      { weight: 4, arbitrary: exec },
      { weight: 1, arbitrary: wrong },
      { weight: 1, arbitrary: union(token, tokenFile) },
      { weight: 1, arbitrary: union(token, certificateFiles) },
      { weight: 1, arbitrary: union(exec, token) },
    ),
    fc.oneof(
      { weight: 4, arbitrary: fc.constant({}) },
      {
        weight: 1,
        arbitrary: union(
          mostly<Fields>({ as: 'jane' }, {}),
          some(
            {
              'as-uid': fc.constant('42'),
              'as-groups': fc.constantFrom(['a'], ['b', 'a'], []),
              'as-user-extra': fc.constantFrom({ scopes: ['view', 'edit'] }, { 'example.com/a b': ['c'] }, {}),
            },
            6,
          ),
        ),
      },
    ),
    some({ extensions, 'no-such-field': fc.constant(['ignored']) }),
  );
}
