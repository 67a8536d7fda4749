#!/usr/bin/env node
import { runBuilt } from './build-if-needed.mjs';

await runBuilt('src/cli.js');
