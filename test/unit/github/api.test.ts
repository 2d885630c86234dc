import { describe, expect, it } from 'vitest';
import { apiOf, GITHUB_API, tokenFor } from '../../../src/github/api.ts';

const enterprise = { GITHUB_SERVER_URL: 'https://github.example.com' };

describe('apiOf', () => {
  it.each<[NodeJS.ProcessEnv, string]>([
    [{}, 'https://api.github.com'],
    [{ GITHUB_SERVER_URL: 'https://github.com/' }, 'https://api.github.com'],
    [{ ...enterprise, GITHUB_API_URL: 'https://github.example.com/api/v3/' }, 'https://github.example.com/api/v3'],
    [enterprise, 'https://github.example.com/api/v3'],
    [
      { GITHUB_SERVER_URL: 'https://acme.ghe.com', GITHUB_API_URL: 'https://api.acme.ghe.com' },
      'https://api.acme.ghe.com',
    ],
  ])('returns for the environment %j: %s', (env, api) => {
    expect(apiOf(env)).toBe(api);
  });
});

describe('tokenFor', () => {
  it.each<[string, NodeJS.ProcessEnv, string | undefined]>([
    [GITHUB_API, {}, 't'],
    [GITHUB_API, { GITHUB_SERVER_URL: 'https://github.com', GITHUB_API_URL: GITHUB_API }, 't'],
    [GITHUB_API, enterprise, undefined],
    [GITHUB_API, { GITHUB_API_URL: 'https://api.acme.ghe.com' }, undefined],
    ['https://github.example.com/api/v3', enterprise, 't'],
    ['https://evil.example.com', enterprise, undefined],
    // Plain text is only for this machine.
    ['http://github.example.com/api/v3', { GITHUB_SERVER_URL: 'http://github.example.com' }, undefined],
    ['http://127.0.0.1:8080', { GITHUB_API_URL: 'http://127.0.0.1:8080' }, 't'],
  ])('goes only to the API of the job’s own server: %s, with the environment %j, %s', (api, env, token) => {
    expect(tokenFor(api, 't', env)).toBe(token);
  });
});
