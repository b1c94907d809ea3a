// Runs the self-test module under node: `node run.mjs selftest_wasm.wasm`.
// Refuses a module with imports, so that "no imports" is verified.
import fs from "node:fs";

const bytes = fs.readFileSync(process.argv[2]);
const module = new WebAssembly.Module(bytes);
const imports = WebAssembly.Module.imports(module);
if (imports.length !== 0) {
  console.log("imports:", imports);
  process.exit(1);
}

const { selftest, memory } = new WebAssembly.Instance(module).exports;
const verdict = selftest();
console.log(`module: ${bytes.length} bytes, 0 imports; memory: ${memory.buffer.byteLength} bytes at the peak`);
if (verdict !== 0n) {
  const name = new Uint8Array(memory.buffer, Number(verdict >> 32n), Number(verdict & 0xffffffffn));
  console.log("self-test failed:", new TextDecoder().decode(name));
  process.exit(1);
}
console.log("self-test passed");
