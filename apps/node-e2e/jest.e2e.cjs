// Only the `e2e` target uses this: whole processes, so few at a time and with patience.
module.exports = {
  displayName: 'node-e2e',
  preset: '../../tools/jest/node-preset.cjs',
  globalSetup: '<rootDir>/jest.setup.cjs',
  testMatch: ['<rootDir>/src/**/*.e2e.ts'],
  testTimeout: 120_000,
  maxWorkers: 2,
  verbose: true,
};
