module.exports = {
  displayName: 'chord',
  preset: '../../tools/jest/node-preset.cjs',
  coverageDirectory: '../../coverage/libs/chord',
};
