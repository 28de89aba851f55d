const assert = require("node:assert");
const test = require("node:test");

const { commandOf } = require("../dist/command.js");

const none = () => false;
const all = () => true;

test("the setting wins", () => {
  assert.equal(commandOf("/opt/codeai", ["/shop"], all, false), "/opt/codeai");
  assert.equal(commandOf("my-codeai", ["/shop"], all, false), "my-codeai");
  assert.equal(commandOf("env/bin/codeai", ["/shop"], none, false), "/shop/env/bin/codeai");
  assert.equal(commandOf("env/bin/codeai", [], none, false), "env/bin/codeai");
});

test("the environment of the workspace comes before the PATH", () => {
  assert.equal(commandOf("", ["/a", "/b"], (file) => file.startsWith("/b"), false), "/b/.venv/bin/codeai");
  assert.equal(commandOf("", ["/a"], none, false), "codeai");
  assert.equal(commandOf("", [], all, false), "codeai");
});
