import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { base64Forms, Redactor } from '../../../src/report/redactor.ts';

const secret = 'correct-horse-battery-staple';

describe('a Redactor', () => {
  it('has the runner mask what it is told, and masks it in files', () => {
    const registered: string[] = [];
    const redactor = new Redactor((text) => registered.push(text));
    expect(redactor.redact(`token: ${secret}`)).toBe(`token: ${secret}`);
    redactor.mask(secret);
    expect(registered).toEqual([secret]);
    expect(redactor.redact(`a ${secret}, and ${secret} again`)).toBe('a ***, and *** again');
  });

  it('masks the longer of two secrets first, so that nothing of it is left', () => {
    const redactor = new Redactor(() => undefined);
    redactor.mask('abcd');
    redactor.mask('abcdefgh');
    expect(redactor.redact('abcdefgh abcd')).toBe('*** ***');
  });

  it('does not mask the gaps between words for a blank secret', () => {
    const registered: string[] = [];
    const redactor = new Redactor((text) => registered.push(text));
    redactor.mask(' ');
    redactor.mask('');
    expect(redactor.redact('a b')).toBe('a b');
    expect(registered).toEqual([]);
  });

  it('leaves no base64 of a secret, wherever in a text it is', () => {
    const redactor = new Redactor(() => undefined);
    redactor.mask(secret);
    fc.assert(
      fc.property(fc.string(), fc.string(), (before, after) => {
        const encoded = Buffer.from(before + secret + after).toString('base64');
        const shown = redactor.redact(encoded);
        // All but the few characters at its ends, which hold bits of its neighbours too.
        expect(base64Forms(secret).some((form) => encoded.includes(form))).toBe(true);
        expect(base64Forms(secret).some((form) => shown.includes(form))).toBe(false);
      }),
    );
  });

  it.each([
    ['a private key', '-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA\n-----END RSA PRIVATE KEY-----'],
    ['a private key that was cut', '-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49'],
    ['a JSON Web Token', 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJyZXBvIn0.c2lnbmF0dXJl'],
  ])('masks by its look %s', (_what, text) => {
    expect(new Redactor(() => undefined).redact(`seen: ${text}`)).toBe('seen: ***');
  });

  it('leaves a certificate, which is public', () => {
    const text = '-----BEGIN CERTIFICATE-----\nMIIC\n-----END CERTIFICATE-----';
    expect(new Redactor(() => undefined).redact(text)).toBe(text);
  });
});
