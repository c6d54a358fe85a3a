/** A browser's name for people out of what it calls itself: "Firefox, Linux". */
export function browserOf(agent: string): string {
  const browser = nameIn(agent, browsers);
  const system = nameIn(agent, systems);
  const known = [browser, system].filter((part) => part !== undefined);
  return known.length > 0 ? known.join(', ') : agent.slice(0, 60) || '?';
}

/** The first that fits: most call themselves by the names of others too. */
const browsers: readonly (readonly [RegExp, string])[] = [
  [/Edg\w*\//, 'Edge'],
  [/OPR\//, 'Opera'],
  [/SamsungBrowser\//, 'Samsung Internet'],
  [/Firefox\/|FxiOS\//, 'Firefox'],
  [/Chrome\/|CriOS\//, 'Chrome'],
  [/Safari\//, 'Safari'],
  [/^curl\//, 'curl'],
];
const systems: readonly (readonly [RegExp, string])[] = [
  [/Android/, 'Android'],
  [/iPhone|iPad/, 'iOS'],
  [/Windows/, 'Windows'],
  [/Mac OS X/, 'macOS'],
  [/CrOS/, 'ChromeOS'],
  [/Linux/, 'Linux'],
];

const nameIn = (
  agent: string,
  names: readonly (readonly [RegExp, string])[],
): string | undefined => names.find(([pattern]) => pattern.test(agent))?.[1];
