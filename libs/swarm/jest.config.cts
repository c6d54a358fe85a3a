module.exports = {
  displayName: 'swarm',
  preset: '../../tools/jest/node-preset.cjs',
  coverageDirectory: '../../coverage/libs/swarm',
};
