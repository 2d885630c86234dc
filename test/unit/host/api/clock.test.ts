import { describe, expect, it } from 'vitest';
import { KubernetesClient } from '../../../../src/host/api/client.ts';
import { agreedTime, hostTime, measureClock } from '../../../../src/host/api/clock.ts';
import { RestClient } from '../../../../src/host/api/rest.ts';
import { Transport } from '../../../../src/host/api/transport.ts';
import { rejection } from '../../rejection.ts';
import { clientOf, configFor, json, serve } from '../server.ts';

const { signal } = new AbortController();
const noon = Date.parse('2026-11-24T12:00:00Z');

/** A host whose clock shows this time, or that sends no Date. */
async function hostAt(time: number | undefined): Promise<KubernetesClient> {
  const { url } = await serve((response) => {
    response.sendDate = false;
    json(response, { gitVersion: 'v1.36.3' }, 200, time === undefined ? {} : { date: new Date(time).toUTCString() });
  });
  return new KubernetesClient(new RestClient(new Transport(configFor(url)), signal));
}

/** A clock that shows these times, one after the other. */
function clock(...times: readonly number[]): () => number {
  const left = [...times];
  return () => (left.length > 1 ? left.shift() : left[0]) ?? 0;
}

describe('measureClock', () => {
  it('corrects for half of the round trip, and for half of the second that a Date rounds off', async () => {
    expect(await measureClock(await hostAt(noon), signal, clock(noon - 4000, noon + 1000))).toBe(2000);
    expect(await measureClock(await hostAt(noon), signal, clock(noon + 60_000))).toBe(-59_500);
  });

  it('is undefined without a Date', async () => {
    expect(await measureClock(await hostAt(undefined), signal)).toBeUndefined();
  });
});

describe('agreedTime', () => {
  it('is the earlier of both clocks', async () => {
    expect(await agreedTime(await hostAt(noon), signal, clock(noon + 60_000))).toBe(noon + 500);
    expect(await agreedTime(await hostAt(noon), signal, clock(noon - 60_000))).toBe(noon - 60_000);
  });

  it.each([
    [-301_000, "the host's clock is 5m2s ahead of this runner's"],
    [3_601_000, "the host's clock is 1h1s behind this runner's"],
  ])('fails when this runner is %d ms off', async (off, problem) => {
    const next = expect.stringContaining('nothing was deleted') as string;
    const refused = agreedTime(await hostAt(noon), signal, clock(noon + off));
    expect(await rejection(refused)).toMatchObject({ code: 'KNEST_CLOCK_SKEW', problem, next });
  });

  it('fails when the host sends no Date', async () => {
    expect(await rejection(agreedTime(await hostAt(undefined), signal))).toMatchObject({
      code: 'KNEST_CLOCK_SKEW',
      problem: expect.stringContaining('cannot be compared') as string,
    });
  });
});

describe('hostTime', () => {
  it.each([-60_000, 0, 60_000])('is the time of the host when this runner is %d ms off', async (off) => {
    expect(await hostTime(await hostAt(noon), signal, clock(noon + off))).toEqual({
      time: noon + 500,
      doubt: undefined,
    });
  });

  it('is the time of the host, with a doubt, when the clocks are hours apart', async () => {
    expect(await hostTime(await hostAt(noon), signal, clock(noon + 3_601_000))).toEqual({
      time: noon + 500,
      doubt: "the host's clock is 1h1s behind this runner's",
    });
  });

  it('is the time of this runner, with a doubt, when the host sends no Date', async () => {
    expect(await hostTime(await hostAt(undefined), signal, clock(noon))).toEqual({
      time: noon,
      doubt: expect.stringContaining('cannot be compared') as string,
    });
  });

  it('is requested again when the connection is cut', async () => {
    const { client } = await clientOf((response, number) => {
      response.sendDate = false;
      if (number === 0) response.socket?.destroy();
      else json(response, {}, 200, { date: new Date(noon).toUTCString() });
    });
    expect(await hostTime(client, signal, clock(noon - 5_000))).toMatchObject({ time: noon + 500 });
  });
});
