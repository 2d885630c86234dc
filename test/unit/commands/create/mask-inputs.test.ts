import { expect, it } from 'vitest';
import { maskInputs } from '../../../../src/commands/create/mask-inputs.ts';
import { readCreate } from '../../inputs/given-inputs.ts';

function masked(inputs: Readonly<Record<string, string>>): readonly string[] {
  const secrets: string[] = [];
  maskInputs(readCreate(inputs), { mask: (secret) => secrets.push(secret) });
  return secrets;
}

it('masks the values of provider-variables, except common ones such as true', () => {
  const variables = ['GATE=true', 'OFF=False', 'COUNT=3', 'NONE=', 'KEY="two\nlines"', 'PIN=123456'];
  expect(masked({ 'provider-variables': variables.join('\n') })).toEqual(['two\nlines', '123456']);
});

it('masks the password of a mirror in plain form, as in a URL, and as in a request', () => {
  const secrets = masked({ mirror: 'https://ci:p%40ss@mirror.example.com' });
  expect(secrets).toEqual(['p@ss', 'p%40ss', 'ci:p@ss', Buffer.from('ci:p@ss').toString('base64')]);
});

it('masks nothing without secrets', () => {
  expect(masked({ mirror: 'https://mirror.example.com' })).toEqual([]);
});
