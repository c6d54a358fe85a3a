module.exports = {
  displayName: 'wire',
  preset: '../../tools/jest/node-preset.cjs',
  coverageDirectory: '../../coverage/libs/wire',
};
