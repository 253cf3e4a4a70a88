// Runs commands, one after the other, against a server that is started for them: the built binary in its
// profile `local`, with a database of its own, on ports that the system chooses.
//
//   node with-server.mjs [JUMUN_…=value …] 'command one' 'command two'
//
// What begins with the name of a setting sets it for the server. The commands find its address in JUMUN_ORIGIN.

import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const root = resolve(import.meta.dirname, "..");
const binary = resolve(process.env.JUMUN_BINARY || join(root, "target/debug/jumun"));
// How long the server may take to say where it listens.
const patience = 60_000;
const folder = mkdtempSync(join(tmpdir(), "jumun-clients-"));
const given = process.argv.slice(2);
const settings = given.filter((argument) => /^JUMUN_[A-Z_]+=/.test(argument));
const commands = given.filter((argument) => !settings.includes(argument));
const server = spawn(binary, ["serve"], {
  cwd: folder,
  env: {
    PATH: process.env.PATH,
    JUMUN_HTTP_ADDR: "127.0.0.1:0",
    JUMUN_STAND_INS_ADDR: "127.0.0.1:0",
    ...Object.fromEntries(settings.map((setting) => setting.split(/=(.*)/s))),
  },
  stdio: ["ignore", "pipe", "pipe"],
});
let log = "";
for (const output of [server.stdout, server.stderr]) output.on("data", (chunk) => (log += chunk));
const ended = new Promise((done) => server.on("close", done));

try {
  const origin = await address();
  for (const command of commands) {
    const begun = Date.now();
    const env = { ...process.env, JUMUN_ORIGIN: origin };
    const child = spawn(command, { cwd: import.meta.dirname, env, shell: true, stdio: "inherit" });
    const status = await new Promise((done) => child.on("close", done));
    console.log(`${status === 0 ? "ok" : "FAILED"}: ${command} (${((Date.now() - begun) / 1000).toFixed(1)} s)`);
    if (status !== 0) process.exitCode = 1;
  }
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
} finally {
  server.kill("SIGTERM");
  await ended;
  if (process.exitCode) console.error(log);
  rmSync(folder, { recursive: true, force: true });
}

/** Waits until the server says where it listens, for a minute at the most. */
async function address() {
  let timer;
  const failed = new Promise((_, fail) => {
    timer = setTimeout(() => fail(new Error(`the server is not ready after ${patience / 1000} s`)), patience);
    server.on("error", (error) => fail(new Error(`${binary}: ${error.message}; \`cargo build\` makes it`)));
    server.on("close", (code) => fail(new Error(`the server ended (${code}) before it was ready`)));
  });
  const said = new Promise((tell) => {
    server.stdout.on("data", () => {
      const origin = /^API +(http:\/\/\S+)\/api\/v1$/m.exec(log)?.[1];
      if (origin) tell(origin);
    });
  });
  return Promise.race([said, failed]).finally(() => clearTimeout(timer));
}
