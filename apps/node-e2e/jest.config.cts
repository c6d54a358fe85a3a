module.exports = {
  displayName: 'node-e2e',
  preset: '../../tools/jest/node-preset.cjs',
  coverageDirectory: '../../coverage/apps/node-e2e',
};
