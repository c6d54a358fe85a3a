// `nx test records -- --seed 42` replays one simulation; `--seeds N --from M` runs many.
// Test workers learn of both through the environment.
const asked = process.argv.join(' ');
for (const name of ['seed', 'seeds', 'from']) {
  const value = asked.match(new RegExp(`--${name}[= ](\\d+)`));
  if (value) process.env[`DND_${name.toUpperCase()}`] = value[1];
}

module.exports = {
  displayName: 'records',
  preset: '../../tools/jest/node-preset.cjs',
  coverageDirectory: '../../coverage/libs/records',
};
