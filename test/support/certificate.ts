import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A certificate and its private key, in PEM. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

/** Who signs, and for whom. */
export interface Signing {
  /** The name in the certificate. */
  readonly name: string;
  /** Undefined for a certificate that signs itself. */
  readonly by?: Certificate;
  /** As openssl writes it: `IP:10.0.0.1,DNS:a.example`; undefined for an authority alone. */
  readonly subjects?: string;
}

/** Makes a certificate for 127.0.0.1 that is its own authority. */
export function makeCertificate(): Certificate {
  return sign({ name: '127.0.0.1', subjects: 'IP:127.0.0.1' });
}

/** Makes a certificate for an authority, a server or a client, good for a day. */
export function sign({ name, by, subjects }: Signing): Certificate {
  const directory = mkdtempSync(join(tmpdir(), 'knest-signing-'));
  const file = (kind: string): string => join(directory, kind);
  try {
    const issuer = by === undefined ? [] : ['-CA', file('ca'), '-CAkey', file('ca-key')];
    if (by !== undefined) {
      writeFileSync(file('ca'), by.cert);
      writeFileSync(file('ca-key'), by.key);
    }
    const isAuthority = by === undefined || subjects === undefined;
    const use = [
      ...['-addext', `basicConstraints=critical,CA:${isAuthority ? 'TRUE' : 'FALSE'}`],
      ...(subjects === undefined ? [] : ['-addext', `subjectAltName=${subjects}`]),
    ];
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', file('key')];
    const rest = ['-days', '1', '-subj', `/CN=${name}`, ...use, '-out', file('cert')];
    execFileSync('openssl', ['req', '-x509', ...issuer, ...key, ...rest], { stdio: 'pipe' });
    return { cert: readFileSync(file('cert'), 'utf8'), key: readFileSync(file('key'), 'utf8') };
  } finally {
    rmSync(directory, { recursive: true });
  }
}
