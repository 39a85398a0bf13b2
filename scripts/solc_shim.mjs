#!/usr/bin/env node
// Speaks the native compiler's command line for the compiler of node_modules, so that py-solc-x and forge can use it.
//
//   solc_shim.mjs --version
//   solc_shim.mjs --standard-json [--base-path DIR] [--include-path DIR]... < input.json > output.json
//
// Imports that the input does not hold are read below the base and include paths only.

import { readFileSync, realpathSync } from "node:fs";
import { createRequire } from "node:module";
import { resolve, sep } from "node:path";

const solc = createRequire(import.meta.url)("solc");

function optionValues(words, name) {
  return words.flatMap((word, i) => {
    if (word === name) return [words[i + 1]];
    return word.startsWith(`${name}=`) ? [word.slice(name.length + 1)] : [];
  });
}

function readImport(roots, path) {
  for (const root of roots) {
    let found;
    try {
      found = realpathSync(resolve(root, path));
    } catch {
      continue;
    }
    if (found.startsWith(root + sep)) return { contents: readFileSync(found, "utf8") };
  }
  return { error: `${path} is not below ${roots.join(" or ")}` };
}

const words = process.argv.slice(2);
if (words.includes("--version")) {
  console.log(`solc, the solidity compiler commandline interface\nVersion: ${solc.version()}`);
} else if (words.includes("--standard-json")) {
  const bases = optionValues(words, "--base-path");
  const roots = [...(bases.length ? bases : ["."]), ...optionValues(words, "--include-path")];
  const real = roots.map((root) => realpathSync(root));
  const input = readFileSync(0, "utf8");
  process.stdout.write(solc.compile(input, { import: (path) => readImport(real, path) }));
} else {
  console.error("solc_shim: --version or --standard-json is needed");
  process.exitCode = 2;
}
