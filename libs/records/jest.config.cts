// `nx test records -- --seed 42` replays one simulation: test workers learn of it through the environment.
const asked = process.argv.join(' ').match(/--seed[= ](\d+)/);
if (asked) process.env.DND_SEED = asked[1];

module.exports = {
  displayName: 'records',
  preset: '../../tools/jest/node-preset.cjs',
  coverageDirectory: '../../coverage/libs/records',
};
