import { describe, expect, it, vi } from 'vitest';
import { IdTokens } from '../../../../src/host/credentials/id-tokens.ts';
import { rejection } from '../../rejection.ts';

/** A token with these claims. */
function jwt(claims: object): string {
  return ['{}', JSON.stringify(claims), 'signature'].map(encoded).join('.');
}

function encoded(part: string): string {
  return Buffer.from(part).toString('base64url');
}

/** Tokens with this lifetime in seconds, numbered from 1. */
function numbered(life: number): { readonly tokens: IdTokens; readonly mint: ReturnType<typeof vi.fn> } {
  let number = 0;
  const mint = vi.fn(async (audience: string) =>
    Promise.resolve(jwt({ iat: 1_000, exp: 1_000 + life, aud: audience, number: ++number })),
  );
  return { tokens: new IdTokens('knest:host', mint), mint };
}

function numberOf(token: string): unknown {
  const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8')) as object;
  return (claims as { number?: number }).number;
}

describe('tokens', () => {
  it('are requested for the audience, once for many requests', async () => {
    const { tokens, mint } = numbered(300);
    const [one, other] = await Promise.all([tokens.token(), tokens.token()]);
    expect(one).toBe(other);
    expect(await tokens.token()).toBe(one);
    expect(mint.mock.calls).toEqual([['knest:host']]);
  });

  it('are requested again after four of their five minutes, independent of other clocks', async () => {
    vi.useFakeTimers();
    try {
      const { tokens } = numbered(300);
      expect(numberOf(await tokens.token())).toBe(1);
      vi.advanceTimersByTime(239_000);
      expect(numberOf(await tokens.token())).toBe(1);
      vi.advanceTimersByTime(2_000);
      expect(numberOf(await tokens.token())).toBe(2);
    } finally {
      vi.useRealTimers();
    }
  });

  it('are requested again after a refusal, once for all refused requests', async () => {
    const { tokens, mint } = numbered(300);
    const refused = await tokens.token();
    tokens.forget(refused);
    const next = tokens.token();
    tokens.forget(refused);
    expect(numberOf(await next)).toBe(2);
    tokens.forget(refused);
    expect(numberOf(await tokens.token())).toBe(2);
    expect(mint).toHaveBeenCalledTimes(2);
  });

  it('are requested up to three times when a request fails', async () => {
    vi.useFakeTimers();
    try {
      const mint = vi.fn(() => Promise.reject(new Error('Error Code : 500\n\n  Error Message: x')));
      const failed = rejection(new IdTokens('a', mint).token());
      await vi.advanceTimersByTimeAsync(10_000);
      expect(await failed).toMatchObject({
        code: 'KNEST_HOST_CREDENTIALS',
        problem: 'GitHub gave this job no OIDC token for the host',
        evidence: ['Error Code : 500 Error Message: x'],
      });
      expect(mint).toHaveBeenCalledTimes(3);
      const once = vi.fn(() => Promise.resolve(jwt({}))).mockImplementationOnce(() => Promise.reject(new Error('x')));
      const recovered = new IdTokens('a', once).token();
      await vi.advanceTimersByTimeAsync(10_000);
      expect(await recovered).toBe(jwt({}));
    } finally {
      vi.useRealTimers();
    }
  });

  it.each([
    ['expired', { iat: 1_000, exp: 1_000 }],
    ['expired long ago', { iat: 1_000, exp: 10 }],
  ])('that are issued %s are given up after three attempts', async (_what, claims) => {
    vi.useFakeTimers();
    try {
      const mint = vi.fn(() => Promise.resolve(jwt(claims)));
      const failed = rejection(new IdTokens('a', mint).token());
      await vi.advanceTimersByTimeAsync(10_000);
      expect(await failed).toMatchObject({
        code: 'KNEST_HOST_CREDENTIALS',
        evidence: [`the token had expired when it was issued (iat ${claims.iat}, exp ${claims.exp})`],
      });
      expect(mint).toHaveBeenCalledTimes(3);
    } finally {
      vi.useRealTimers();
    }
  });

  it.each([{ iat: 1_000, exp: '900' }, { iat: 'x', exp: 900 }, null])(
    'have the default lifetime when their claims cannot be read: %o',
    async (claims) => {
      const mint = vi.fn(() => Promise.resolve(['{}', JSON.stringify(claims), 's'].map(encoded).join('.')));
      const tokens = new IdTokens('a', mint);
      await tokens.token();
      await tokens.token();
      expect(mint).toHaveBeenCalledTimes(1);
      expect(tokens.lifeMilliseconds).toBe(300_000);
    },
  );

  it('are given up when GitHub does not answer', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'performance'] });
    const timeouts = vi.spyOn(AbortSignal, 'timeout').mockImplementation(() => AbortSignal.abort());
    timeouts.mockImplementation(() => {
      const controller = new AbortController();
      queueMicrotask(() => controller.abort());
      return controller.signal;
    });
    try {
      const failed = rejection(new IdTokens('a', async () => new Promise(() => undefined)).token());
      await vi.advanceTimersByTimeAsync(10_000);
      expect(await failed).toMatchObject({ evidence: ['no answer within 20 s'] });
    } finally {
      timeouts.mockRestore();
      vi.useRealTimers();
    }
  });
});

describe('the description of a token', () => {
  const claims = {
    iss: 'https://token.actions.githubusercontent.com',
    aud: 'knest:host',
    repository: 'octo-org/octo-repo',
    repository_id: '1296269',
    event_name: 'push',
    iat: 0,
  };
  const described = async (more: object): Promise<string> => {
    const tokens = new IdTokens('knest:host', async () => Promise.resolve(jwt({ ...claims, ...more })));
    await tokens.token();
    return tokens.describe();
  };

  it('lists its claims without the token', async () => {
    expect(await described({ exp: 4_102_444_800 })).toBe(
      'the token has issuer https://token.actions.githubusercontent.com, audience knest:host, ' +
        'repository octo-org/octo-repo (id 1296269), event push, valid until 2100-01-01T00:00:00Z',
    );
  });

  it('says when it has expired', async () => {
    expect(await described({ exp: 1 })).toMatch(/, expired since 1970-01-01T00:00:01Z by this runner's clock$/);
  });

  it('handles a missing token, and one that is not a JWT', async () => {
    expect(new IdTokens('a', async () => Promise.resolve('x')).describe()).toBe('there is no token yet');
    const tokens = new IdTokens('a', async () => Promise.resolve('no JWT'));
    expect(await tokens.token()).toBe('no JWT');
    expect(tokens.describe()).toContain('issuer unknown, audience none');
    expect(tokens.lifeMilliseconds).toBe(300_000);
  });
});
