module.exports = {
  displayName: 'sim',
  preset: '../../tools/jest/node-preset.cjs',
  coverageDirectory: '../../coverage/libs/sim',
};
