import { describe, expect, it } from 'vitest';
import { Timeline } from '../../../src/report/timeline.ts';

/** A timeline whose clock only moves when the test moves it. */
function timelineAt(start: number) {
  const clock = { now: start };
  return { clock, timeline: new Timeline(() => clock.now) };
}

describe('Timeline', () => {
  it('records phases in the order in which they end', async () => {
    const { clock, timeline } = timelineAt(1000);
    const value = await timeline.during('Connect', () => {
      clock.now += 250;
      return Promise.resolve('value');
    });
    await timeline.during('Wait', () => {
      clock.now += 1500;
      return Promise.resolve();
    });
    expect(value).toBe('value');
    expect(timeline.phases).toEqual([
      { name: 'Connect', start: 1000, end: 1250 },
      { name: 'Wait', start: 1250, end: 2750 },
    ]);
    expect(timeline.elapsed).toBe(1750);
    expect(JSON.parse(JSON.stringify(timeline))).toEqual({ Connect: 0.25, Wait: 1.5, total: 1.75 });
  });

  it('records a phase that fails, and rethrows its error', async () => {
    const { clock, timeline } = timelineAt(0);
    const broken = timeline.during('Apply', () => {
      clock.now += 10;
      return Promise.reject(new Error('refused'));
    });
    await expect(broken).rejects.toThrow('refused');
    expect(timeline.phases).toEqual([{ name: 'Apply', start: 0, end: 10 }]);
  });
});
