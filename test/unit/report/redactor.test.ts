import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { base64Forms, Redactor } from '../../../src/report/redactor.ts';

const secret = 'correct-horse-battery-staple';

describe('a Redactor', () => {
  it('masks a secret in the log, by the runner, and in files', () => {
    const registered: string[] = [];
    const redactor = new Redactor((text) => registered.push(text));
    expect(redactor.redact(`token: ${secret}`)).toBe(`token: ${secret}`);
    redactor.mask(secret);
    expect(registered).toEqual([secret]);
    expect(redactor.redact(`a ${secret}, and ${secret} again`)).toBe('a ***, and *** again');
  });

  it('masks the longer of two secrets first, so that no part of it is left', () => {
    const redactor = new Redactor(() => undefined);
    redactor.mask('abcd');
    redactor.mask('abcdefgh');
    expect(redactor.redact('abcdefgh abcd')).toBe('*** ***');
  });

  it('does not mask spaces for a blank secret', () => {
    const registered: string[] = [];
    const redactor = new Redactor((text) => registered.push(text));
    redactor.mask(' ');
    redactor.mask('');
    expect(redactor.redact('a b')).toBe('a b');
    expect(registered).toEqual([]);
  });

  it('leaves no base64 of a secret, at any position in a text', () => {
    const redactor = new Redactor(() => undefined);
    redactor.mask(secret);
    fc.assert(
      fc.property(fc.string(), fc.string(), (before, after) => {
        const encoded = Buffer.from(before + secret + after).toString('base64');
        const shown = redactor.redact(encoded);
        // Except for a few characters at its ends, which also contain bits of the neighbouring text.
        expect(base64Forms(secret).some((form) => encoded.includes(form))).toBe(true);
        expect(base64Forms(secret).some((form) => shown.includes(form))).toBe(false);
      }),
    );
  });

  it.each([
    ['a private key', '-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA\n-----END RSA PRIVATE KEY-----'],
    ['a truncated private key', '-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49'],
    ['a JSON Web Token', 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJyZXBvIn0.c2lnbmF0dXJl'],
  ])('masks %s by its form', (_what, text) => {
    expect(new Redactor(() => undefined).redact(`seen: ${text}`)).toBe('seen: ***');
  });

  it('keeps a certificate, which is public', () => {
    const text = '-----BEGIN CERTIFICATE-----\nMIIC\n-----END CERTIFICATE-----';
    expect(new Redactor(() => undefined).redact(text)).toBe(text);
  });
});
