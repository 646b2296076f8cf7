// The worker in which Python runs. All that it needs was loaded and verified by the page; it loads nothing itself.

const TYPES = { mjs: "text/javascript", js: "text/javascript", wasm: "application/wasm", json: "application/json" };

const typeOf = name => TYPES[name.split(".").pop()] ?? "application/octet-stream";

async function start({ files, wheels, base }) {
  const script = name => import(URL.createObjectURL(new Blob([files[name]], { type: typeOf(name) })));
  // Pyodide asks for its own files by address; they are here.
  self.fetch = async what => {
    const name = String(what.url ?? what).split("/").pop();
    if (!(name in files)) throw new TypeError(`this page loads no ${name}`);
    return new Response(files[name], { headers: { "Content-Type": typeOf(name) } });
  };
  const [{ loadPyodide }, compiled, viz] = await Promise.all([
    script("pyodide.mjs"),
    script("pyodide.asm.mjs" in files ? "pyodide.asm.mjs" : "pyodide.asm.js"),
    script("viz.js").then(layout => layout.instance()),
  ]);
  const python = await loadPyodide({ indexURL: base, createPyodideModule: compiled.default, stdin: () => null });
  const extractDir = python.runPython("import site; site.getsitepackages()[0]");
  for (const wheel of wheels) python.unpackArchive(new Uint8Array(files[wheel]), "whl", { extractDir });
  python.FS.mkdirTree("/live");
  python.FS.writeFile("/live/glue.py", new Uint8Array(files["glue.py"]));
  python.registerJsModule("layout", { svg: dot => viz.renderString(dot, { format: "svg" }) });
  python.runPython(`
import sys
sys.path.insert(0, "/live")
from layout import svg
from tinygrad_norm.viz.render import use_renderer
use_renderer(svg)
`);
  return python.pyimport("glue").answer;
}

let answer;

self.onmessage = async ({ data }) => {
  const { id } = data;
  try {
    if (data.files) {
      answer = await start(data);
      self.postMessage({ id, ready: true });
      return;
    }
    const came = answer(data.request, told => self.postMessage({ id, told }));
    self.postMessage({ id, came });
  } catch (error) {
    self.postMessage({ id, failed: String(error.message ?? error).slice(-2000) });
  }
};
