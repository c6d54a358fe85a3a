module.exports = {
  displayName: 'records',
  preset: '../../tools/jest/node-preset.cjs',
  coverageDirectory: '../../coverage/libs/records',
};
