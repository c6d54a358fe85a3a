module.exports = {
  displayName: 'kinds',
  preset: '../../tools/jest/node-preset.cjs',
  coverageDirectory: '../../coverage/libs/kinds',
};
