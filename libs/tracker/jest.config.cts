module.exports = {
  displayName: 'tracker',
  preset: '../../tools/jest/node-preset.cjs',
  coverageDirectory: '../../coverage/libs/tracker',
};
