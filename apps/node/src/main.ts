import { VERSION } from './http/health.controller';
console.log(VERSION);
