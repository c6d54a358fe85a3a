import baseConfig, { core } from '../../eslint.config.mjs';

export default [...baseConfig, ...core];
