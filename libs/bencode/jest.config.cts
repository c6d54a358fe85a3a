module.exports = {
  displayName: 'bencode',
  preset: '../../tools/jest/node-preset.cjs',
  coverageDirectory: '../../coverage/libs/bencode',
};
