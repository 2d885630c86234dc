import { expect, it } from 'vitest';
import { httpsAddress, withoutBrackets } from '../../../src/values/https-address.ts';

it.each([
  ['api.example', 'https://api.example:6443', 'api.example'],
  ['10.0.0.1', 'https://10.0.0.1:6443', '10.0.0.1'],
  ['fd00::1', 'https://[fd00::1]:6443', 'fd00::1'],
  ['[fd00::1]', 'https://[fd00::1]:6443', 'fd00::1'],
])('the address for %s is %s', (host, address, bare) => {
  expect(httpsAddress(host, 6443)).toBe(address);
  expect(withoutBrackets(host)).toBe(bare);
});
