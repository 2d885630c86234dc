const RFC_3339 = /^(\d{4}-\d{2}-(\d{2}))T\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:\d{2})$/;

/**
 * Parses an RFC 3339 time, which names its zone, into milliseconds since the epoch. Returns undefined for anything
 * else: `Date.parse` alone takes `1` for a year and the 30th of February for a day in March.
 */
export function parseInstant(text: string): number | undefined {
  const [, date = '', day = ''] = RFC_3339.exec(text) ?? [];
  const time = Date.parse(text);
  const isDay = date !== '' && new Date(Date.parse(date)).getUTCDate() === Number(day);
  return isDay && !Number.isNaN(time) ? time : undefined;
}

/** Formats milliseconds since the epoch as an RFC 3339 time, to the second. */
export function formatInstant(time: number): string {
  return new Date(time).toISOString().replace(/\.\d+Z$/, 'Z');
}
