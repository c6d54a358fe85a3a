module.exports = {
  displayName: 'metainfo',
  preset: '../../tools/jest/node-preset.cjs',
  coverageDirectory: '../../coverage/libs/metainfo',
};
