// Python in a worker: loads and verifies what it needs, asks it one thing after the other, ends it when time is up.

export class Refused extends Error {
  // Python's own answer: what cannot be done, and where (a line, a cell).
  constructor(told) {
    super(told.why);
    this.told = told;
  }
}

export class TimeIsUp extends Error {}

export class Superseded extends Error {}

const ABSENT = "Python is not there; why, is said at the top of the page";

const hex = buffer => [...new Uint8Array(buffer)].map(byte => byte.toString(16).padStart(2, "0")).join("");

async function load(file, signal, onBytes) {
  const response = await fetch(file.url, { signal, credentials: "omit", referrerPolicy: "no-referrer" });
  if (!response.ok) throw new Error(`${file.name}: the server says ${response.status}`);
  const parts = [];
  const reader = response.body.getReader();
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    parts.push(part.value);
    onBytes(part.value.length);
  }
  const body = new Uint8Array(await new Blob(parts).arrayBuffer());
  if (hex(await crypto.subtle.digest("SHA-256", body)) !== file.sha256) {
    throw new Error(`${file.name} is not the file that belongs here: it differs from the one this page was made for`);
  }
  return body;
}

export class Python {
  // `onState(phase, detail)`: "loading" with a fraction, "starting", "ready", "busy", "failed" with an Error.
  constructor(setting, onState) {
    this.setting = setting;
    this.onState = onState;
    this.waiting = [];
    this.count = 0;
  }

  async start() {
    this.failed = false;
    try {
      if (!crypto.subtle) throw new Error("a browser runs this page only over https");
      this.files ??= await this.download();
      this.onState("starting");
      this.workerUrl ??= URL.createObjectURL(new Blob([this.files["worker.js"]], { type: "text/javascript" }));
      // A worker from a blob is under the page's own policy; one from an address would be under none.
      this.worker = new Worker(this.workerUrl, { type: "module" });
      const { wheels, base } = this.setting;
      await this.send({ files: this.files, wheels, base }, this.setting.starting);
    } catch (error) {
      this.worker?.terminate();
      this.failed = true;
      for (const { reject } of this.waiting.splice(0)) reject(new Error(ABSENT));
      this.onState("failed", error);
      return;
    }
    this.ready = true;
    this.onState("ready");
    this.next();
  }

  // Begin anew, whatever it is at: the worker that is at work is ended, and so is what was changed inside it.
  restart() {
    if (this.busy) this.stop(new TimeIsUp("was stopped"));
    else {
      this.ready = false;
      this.worker?.terminate();
      this.start();
    }
  }

  async download() {
    const { files } = this.setting;
    const total = files.reduce((sum, file) => sum + file.size, 0);
    let done = 0;
    const onBytes = count => this.onState("loading", Math.min(1, (done += count) / total));
    this.onState("loading", 0);
    const rest = new AbortController();
    try {
      const bodies = await Promise.all(files.map(file => load(file, rest.signal, onBytes)));
      return Object.fromEntries(files.map((file, k) => [file.name, bodies[k]]));
    } finally {
      rest.abort();
    }
  }

  // Send one message to the worker and return the last one about it; each in between starts the clock again.
  send(message, seconds, onTold = () => {}) {
    const id = ++this.count;
    const worker = this.worker;
    return new Promise((resolve, reject) => {
      this.stop = reject;
      const late = () => reject(new TimeIsUp(`does not end within ${seconds} s`));
      let clock = setTimeout(late, 1000 * seconds);
      worker.onerror = event => reject(new Error(event.message || "the worker could not be started"));
      worker.onmessage = ({ data }) => {
        if (data.id !== id) return;
        clearTimeout(clock);
        if (data.told !== undefined) {
          clock = setTimeout(late, 1000 * seconds);
          onTold(data.told);
        } else if (data.failed !== undefined) reject(new Error(data.failed));
        else resolve(data);
      };
      worker.postMessage({ id, ...message });
    });
  }

  // Ask for an action of glue.py. What still waits of the same kind is superseded by it.
  ask(action, asked, onTold) {
    if (this.failed) return Promise.reject(new Error(ABSENT));
    return new Promise((resolve, reject) => {
      for (const old of this.waiting.filter(one => one.action === action)) old.reject(new Superseded());
      this.waiting = this.waiting.filter(one => one.action !== action);
      this.waiting.push({ action, asked, onTold, resolve, reject });
      this.next();
    });
  }

  async next() {
    if (!this.ready || !this.waiting.length) return;
    this.ready = false;
    this.busy = true;
    const { action, asked, onTold, resolve, reject } = this.waiting.shift();
    this.onState("busy", action);
    try {
      const { came } = await this.send({ request: JSON.stringify({ action, arguments: asked }) }, this.setting.seconds, onTold);
      const { gave, refused } = JSON.parse(came);
      if (refused) reject(new Refused(refused));
      else resolve(gave);
    } catch (error) {
      // Too late, or Python itself is broken: this one is ended, and a new one begins.
      this.worker.terminate();
      this.busy = false;
      reject(error);
      await this.start();
      return;
    }
    this.busy = false;
    this.ready = true;
    this.onState("ready");
    this.next();
  }
}
