// Prints the scopes that the TextMate grammar gives to every character of the files named, as JSON: [[start, end, [scope, …]], …] per file.
import fs from "node:fs";
import path from "node:path";
import { createRequire } from "node:module";

const [modules, grammarPath, ...files] = process.argv.slice(2);
const require = createRequire(path.join(modules, "node_modules", "x.js"));
const oniguruma = require("vscode-oniguruma");
const textmate = require("vscode-textmate");

const wasm = fs.readFileSync(path.join(modules, "node_modules/vscode-oniguruma/release/onig.wasm"));
await oniguruma.loadWASM(wasm.buffer.slice(wasm.byteOffset, wasm.byteOffset + wasm.byteLength));
const registry = new textmate.Registry({
  onigLib: Promise.resolve({
    createOnigScanner: (patterns) => new oniguruma.OnigScanner(patterns),
    createOnigString: (text) => new oniguruma.OnigString(text),
  }),
  loadGrammar: async () => textmate.parseRawGrammar(fs.readFileSync(grammarPath, "utf8"), grammarPath),
});
const grammar = await registry.loadGrammar("source.codeai");
const result = {};
for (const file of files) {
  let stack = textmate.INITIAL, offset = 0;
  const found = [];
  for (const line of fs.readFileSync(file, "utf8").split("\n")) {
    const tokens = grammar.tokenizeLine(line, stack);
    for (const token of tokens.tokens) found.push([offset + token.startIndex, offset + token.endIndex, token.scopes]);
    stack = tokens.ruleStack;
    offset += line.length + 1;
  }
  result[file] = { tokens: found, open: stack.depth - 1 };
}
console.log(JSON.stringify(result));
