// Decorated classes need the metadata polyfill before they are loaded, in tests as in the program.
import 'reflect-metadata';
