import fc, { type Arbitrary } from 'fast-check';
import { base64, mostly, pathsOf, some, union, type Fields, type Pki } from './fields.ts';
import { FILES } from './place.ts';

/** The ways to say which authority signed a server's certificate. */
function trust(root: string, ...files: readonly string[]): Arbitrary<Fields> {
  return fc.oneof(
    {
      weight: 24,
      arbitrary: fc
        .constantFrom(...files.flatMap((file) => pathsOf(root, file)))
        .map((path) => ({ 'certificate-authority': path })),
    },
    { weight: 6, arbitrary: fc.constant({ 'insecure-skip-tls-verify': true }) },
    {
      weight: 1,
      arbitrary: fc.constantFrom<Fields>(
        {},
        { 'certificate-authority': '/no/such/file' },
        { 'certificate-authority-data': base64('no certificate') },
        { 'certificate-authority-data': '%%%' },
        { 'certificate-authority-data': 'DATA+OMITTED' },
        { 'certificate-authority': `${root}/${FILES.authority}`, 'insecure-skip-tls-verify': true },
        { 'certificate-authority': `${root}/${FILES.otherAuthority}` },
      ),
    },
  );
}

/** Clusters that lead to the servers, most of them in a way that works. */
export function clusters({ root, authority }: Pki): Arbitrary<Fields> {
  const first = union(
    fc
      .constantFrom(
        'https://10.9.0.1:6443',
        'https://one.example:6443',
        'https://10.9.0.1:6443/',
        'https://10.9.0.1:6443/k8s/c-1',
      )
      .map((server) => ({ server })),
    fc.oneof(
      { weight: 4, arbitrary: trust(root, FILES.authority, FILES.allAuthorities) },
      { weight: 1, arbitrary: fc.constant({ 'certificate-authority-data': base64(authority) }) },
    ),
  );
  const second = union(
    fc
      .constantFrom('https://10.9.0.2:6443', 'https://two.example:6443', 'https://sub.two.example:6443')
      .map((server) => ({ server })),
    trust(root, FILES.otherAuthority, FILES.intermediate, FILES.allAuthorities),
  );
  const third = union(
    fc.constant({ server: 'https://10.9.0.3:6443' }),
    trust(root, FILES.authority),
    mostly<Fields>({ 'tls-server-name': 'api.internal' }, {}, { 'tls-server-name': 'other.internal' }),
  );
  const plain = fc.constant({ server: 'http://10.9.0.4:8001' });
  const odd = fc.constantFrom<Fields>(
    {},
    { server: '' },
    { server: '10.9.0.4:8001' },
    { server: 'https://10.9.0.77:6443' },
    { server: 'ftp://10.9.0.1' },
  );
  return union(
    fc.oneof(
      { weight: 6, arbitrary: first },
      { weight: 5, arbitrary: second },
      { weight: 4, arbitrary: third },
      { weight: 2, arbitrary: plain },
      { weight: 1, arbitrary: odd },
    ),
    some(
      {
        'proxy-url': mostly(
          'http://proxy.example:3128',
          'http://user:pass%40word@10.9.0.8:3129',
          'socks5://10.9.0.8:1080',
          'socks5://me:p%40ss@10.9.0.8:1081',
          'socks5://me:wrong@10.9.0.8:1081',
          'ftp://10.9.0.8:3128',
          'proxy.example:3128',
        ),
        'disable-compression': fc.boolean(),
        extensions: fc.constantFrom(
          [{ name: 'example.com/note', extension: { a: 1 } }],
          [{ name: 'client.authentication.k8s.io/exec', extension: { audience: 'x', list: [1, true] } }],
        ),
        'no-such-field': fc.constant('ignored'),
      },
      2,
    ),
  );
}
