import { createPrivateKey, X509Certificate } from 'node:crypto';

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g;
const PRIVATE_KEY = /-----BEGIN ((?:[A-Z]+ )?PRIVATE KEY)-----[\s\S]+?-----END \1-----/;

/** The certificates in a text, in PEM and without the text around them; undefined when there is none, or a broken one. */
export function certificatesIn(text: string): string | undefined {
  const certificates = text.match(CERTIFICATE) ?? [];
  try {
    return certificates.length === 0
      ? undefined
      : certificates.map((certificate) => new X509Certificate(certificate).toString()).join('');
  } catch {
    return undefined;
  }
}

/** The first private key in a text, in PEM and without the text around it; undefined for one that needs a passphrase. */
export function privateKeyIn(text: string): string | undefined {
  const key = PRIVATE_KEY.exec(text)?.[0];
  try {
    return key === undefined || createPrivateKey(key).type !== 'private' ? undefined : `${key}\n`;
  } catch {
    return undefined;
  }
}

/** Whether a private key in PEM is that of the first of these certificates. */
export function isKeyOf(key: string, certificates: string): boolean {
  return new X509Certificate(certificates).checkPrivateKey(createPrivateKey(key));
}
