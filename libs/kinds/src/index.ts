export { kindOf, kindOfAll, kinds, type Kind } from './kinds';
